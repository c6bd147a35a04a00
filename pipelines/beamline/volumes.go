package beamline

import (
	"path"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Volume is a folder with data, from one of three places.
type Volume struct {
	Name      string `json:"name" jsonschema:"title=name of a volume,pattern=^[a-z0-9]([-a-z0-9]{0\\,61}[a-z0-9])?$,example=data" jsonschema_description:"What Kubernetes calls it. config, autosave, tmp, opi and device-0 are the chart's own."`
	MountPath string `json:"mountPath" jsonschema:"title=absolute path,pattern=^/[^:\\s]+$,example=/data" jsonschema_description:"Where the IOC sees it. Not below /epics."`
	ReadOnly  bool   `json:"readOnly,omitempty" jsonschema_description:"The IOC may not write to it."`
	Claim     string `json:"claim,omitempty" jsonschema:"title=name of a claim,pattern=^[a-z0-9]([-a-z0-9.]{0\\,251}[a-z0-9])?$,example=bl01t-data" jsonschema_description:"A PersistentVolumeClaim of the namespace that is there already."`
	HostPath  string `json:"hostPath,omitempty" jsonschema:"title=absolute path,pattern=^/[^:\\s]*$,example=/scratch" jsonschema_description:"A folder of the node, which must be there."`
	NFS       *NFS   `json:"nfs,omitempty" jsonschema_description:"A folder that a server exports."`
}

// NFS is a folder that a server exports.
type NFS struct {
	Server string `json:"server" jsonschema:"title=host name,pattern=^[A-Za-z0-9._:-]+$,example=nfs.example.org" jsonschema_description:"The server's host name or address."`
	Path   string `json:"path" jsonschema:"title=absolute path,pattern=^/[^\\s]*$,example=/exports/bl01t" jsonschema_description:"The folder as the server exports it."`
}

// ownVolumes are the names of the volumes that the chart itself mounts, beside
// those of devices.
var ownVolumes = []string{"config", "autosave", "tmp", "opi"}

// deviceVolume begins the names of the volumes by which the chart mounts devices.
const deviceVolume = "device-"

// ownVolume reports whether the chart itself may mount a volume of this name.
func ownVolume(name string) bool {
	return slices.Contains(ownVolumes, name) || strings.HasPrefix(name, deviceVolume)
}

// checkVolumes checks what Kubernetes would only at a promotion, and what would
// hide the IOC's own folders.
func (r *reader) checkVolumes(doc *strictyaml.Doc, where strictyaml.Path, volumes []Volume) {
	names, mounted := map[string]bool{}, map[string]bool{}
	for i, v := range volumes {
		p := below(where, i)
		if from := count(v.Claim != "", v.HostPath != "", v.NFS != nil); from != 1 {
			r.faultAt(doc, p, "write one of claim, hostPath and nfs",
				"volume %q names %d places that it is from", v.Name, from)
		}
		if ownVolume(v.Name) {
			r.faultAt(doc, below(p, "name"), "choose another name", "the chart itself has a volume %q", v.Name)
		}
		if names[v.Name] {
			r.faultAt(doc, below(p, "name"), "choose another name", "another volume is called %q too", v.Name)
		}
		r.checkMount(doc, below(p, "mountPath"), v.MountPath)
		if at := path.Clean(v.MountPath); mounted[at] {
			r.faultAt(doc, below(p, "mountPath"), "choose another folder", "another volume is at %s too", at)
		}
		r.checkNoWayUp(doc, below(p, "hostPath"), v.HostPath)
		names[v.Name], mounted[path.Clean(v.MountPath)] = true, true
	}
}

// checkMounts checks the volumes and mounts that an instance has of its own and of its
// beamline together, as Kubernetes would only at a promotion: each name is of one volume,
// each place has one mount, and what is mounted is there.
func (r *reader) checkMounts(o origins) {
	if ownTemplate(o.inst) {
		return
	}
	v := o.inst.Values
	volumes, mounted := map[string]origin{}, map[string]origin{}
	for i, volume := range v.Volumes {
		at := o.at("volumes", i)
		volumes[volume.Name], mounted[path.Clean(volume.MountPath)] = at, at
	}
	for i, volume := range items(v.Pod["volumes"]) {
		name, _ := volume["name"].(string)
		at := o.at("pod", "volumes", i)
		named := func(own Volume) bool { return own.Name == name }
		if other, twice := volumes[name]; twice && !(other.file == at.file && slices.ContainsFunc(v.Volumes, named)) {
			r.rivals(at, other, "choose another name", "another volume is called %q too (%s)", name, other)
		}
		volumes[name] = at
	}
	known := func(m map[string]any, at origin) {
		name, _ := m["name"].(string)
		if _, there := volumes[name]; !there && !ownVolume(name) {
			r.rivals(at, at, "name one of volumes, or of volumes below pod", "the pod has no volume %q", name)
		}
	}
	for i, m := range items(v.Container["volumeMounts"]) {
		place, _ := m["mountPath"].(string)
		at := o.at("container", "volumeMounts", i)
		if other, twice := mounted[path.Clean(place)]; twice {
			r.rivals(at, other, "choose another folder", "another volume is at %s too (%s)", path.Clean(place), other)
		}
		mounted[path.Clean(place)] = at
		known(m, at)
	}
	for i, c := range v.Containers {
		for j, m := range items(c["volumeMounts"]) {
			known(m, o.at("containers", i, "volumeMounts", j))
		}
	}
	for i, c := range v.InitContainers {
		for j, m := range items(c["volumeMounts"]) {
			known(m, o.at("initContainers", i, "volumeMounts", j))
		}
	}
}

// checkMount refuses a place in the container where a volume would hide what the
// IOC is made of.
func (r *reader) checkMount(doc *strictyaml.Doc, where strictyaml.Path, at string) {
	r.checkNoWayUp(doc, where, at)
	at = path.Clean(at)
	for _, own := range []string{"/epics", "/tmp", "/dev", "/proc", "/sys", "/bin", "/etc", "/lib", "/usr"} {
		if at == "/" || at == own || own == "/epics" && strings.HasPrefix(at, own+"/") {
			r.faultAt(doc, where, "mount it elsewhere, as in /data",
				"a volume at %s would hide what the IOC is made of", at)
			return
		}
	}
}

// checkNoWayUp refuses a path that leads upwards, as Kubernetes does.
func (r *reader) checkNoWayUp(doc *strictyaml.Doc, where strictyaml.Path, p string) {
	if slices.Contains(strings.Split(p, "/"), "..") {
		r.faultAt(doc, where, "write the path without ..", "%q leads upwards", p)
	}
}
