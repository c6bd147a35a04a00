package beamline

import (
	"path"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/layout"
)

// autosaveClaim ends the name of the claim that an instance's chart makes for them.
const autosaveClaim = "-autosave"

// writable is a folder from elsewhere that a container of an instance may write to.
type writable struct {
	origin
	claim string // the PersistentVolumeClaim that it is, if any
	from  string // what it is, and the path in it: "nfs server /path /", "claim name /folder"
	node  bool   // it is the node's
	at    string // where the container sees it
}

// keep keeps what the check of all instances needs to know of one.
func (r *reader) keep(o origins) {
	if ownTemplate(o.inst) {
		return
	}
	if o.inst.Values.Autosave != "" {
		r.autosave[o.inst.Name+autosaveClaim] = o.at("autosave")
	}
	r.writable = append(r.writable, o.writable()...)
}

// checkFolders refuses two instances that write one folder of autosave files: each
// would come back with the positions of the other.
func (r *reader) checkFolders() {
	for i, w := range r.writable {
		if owner, ok := r.autosave[w.claim]; ok && owner.inst != w.inst {
			r.rivals(w.origin, owner, "add readOnly: true, or name another claim",
				"%s may write to %s, the claim of the autosave files of %s (%s)",
				w.inst.Name, w.claim, owner.inst.Name, owner)
			continue
		}
		if w.at != layout.Autosave && !strings.HasPrefix(w.at, layout.Autosave+"/") {
			continue
		}
		for _, other := range r.writable[:i] {
			if other.inst != w.inst && other.from == w.from && other.at == w.at &&
				!(w.node && apart(w.inst.Values, other.inst.Values)) {
				r.rivals(w.origin, other.origin, "give each a folder of its own, or add readOnly: true",
					"%s writes its autosave files to the same folder as %s (%s)", w.inst.Name, other.inst.Name, other)
				break
			}
		}
	}
}

// writable returns the folders from elsewhere that the containers of an instance may
// write to.
func (o origins) writable() (all []writable) {
	v := o.inst.Values
	sources := map[string]writable{} // by the volume's name
	for i, volume := range v.Volumes {
		w := source(volume.Claim, volume.HostPath, volume.NFS)
		if !(volume.ReadOnly && volume.NFS != nil) { // which is mounted so
			sources[volume.Name] = w
		}
		if !volume.ReadOnly {
			w.origin, w.at = o.at("volumes", i), path.Clean(volume.MountPath)
			w.from += " /"
			all = append(all, w)
		}
	}
	for _, volume := range items(v.Pod["volumes"]) {
		name, _ := volume["name"].(string)
		if w, ok := podSource(volume); ok {
			sources[name] = w
		}
	}
	mounts := func(container map[string]any, where ...any) {
		for i, m := range items(container["volumeMounts"]) {
			name, _ := m["name"].(string)
			at, _ := m["mountPath"].(string)
			below, _ := m["subPath"].(string)
			w, known := sources[name]
			if !known || m["readOnly"] == true || m["subPathExpr"] != nil { // which only the pod can tell
				continue
			}
			w.from += " " + path.Clean("/"+below)
			w.origin, w.at = o.at(append(slices.Clone(where), "volumeMounts", i)...), path.Clean(at)
			all = append(all, w)
		}
	}
	mounts(v.Container, "container")
	for i, c := range v.Containers {
		mounts(c, "containers", i)
	}
	for i, c := range v.InitContainers {
		mounts(c, "initContainers", i)
	}
	return all
}

// source returns the folder of one of three places.
func source(claim, hostPath string, nfs *NFS) writable {
	switch {
	case claim != "":
		return writable{claim: claim, from: "claim " + claim}
	case nfs != nil:
		return writable{from: "nfs " + nfs.Server + " " + path.Clean(nfs.Path)}
	}
	return writable{from: "node " + path.Clean(hostPath), node: true}
}

// podSource returns the folder of a volume of Kubernetes; ok is false where it is from
// none of those places, or may only be read.
func podSource(volume map[string]any) (w writable, ok bool) {
	text := func(of map[string]any, key string) string {
		s, _ := of[key].(string)
		return s
	}
	for _, kind := range []string{"persistentVolumeClaim", "hostPath", "nfs"} {
		from, _ := volume[kind].(map[string]any)
		if from == nil || from["readOnly"] == true {
			continue
		}
		switch kind {
		case "persistentVolumeClaim":
			return source(text(from, "claimName"), "", nil), true
		case "hostPath":
			return source("", text(from, "path"), nil), true
		}
		return source("", "", &NFS{text(from, "server"), text(from, "path")}), true
	}
	return writable{}, false
}
