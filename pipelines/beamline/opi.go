package beamline

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// Opi is how the screens of an IOC, its folder config/opi, are served over HTTP.
type Opi struct {
	Image     string `json:"image" jsonschema:"title=image by digest,pattern=^[^@\\s]+@sha256:[0-9a-f]{64}$,example=ghcr.io/some-org/web:1.2.3@sha256:7777777777777777777777777777777777777777777777777777777777777777" jsonschema_description:"The web server, by digest."`
	Port      int64  `json:"port" jsonschema:"minimum=1024,maximum=65535,example=8080" jsonschema_description:"The port where that server listens. It is not root, so it has none below 1024."`
	MountPath string `json:"mountPath" jsonschema:"title=absolute path,pattern=^/[^/:\\s][^:\\s]*$,example=/usr/share/nginx/html" jsonschema_description:"The folder that it serves, where it finds the screens."`
}

// checkOpi wants screens where an IOC says that it has them, and a port that it does not
// serve its PVs at.
func (r *reader) checkOpi(o origins) {
	inst, opi := o.inst, o.inst.Values.Opi
	if opi == nil || inst.Service != "" {
		return
	}
	env := inst.Values.Env
	for _, served := range []struct{ protocol, port string }{
		{"Channel Access", cmp.Or(env["EPICS_CAS_SERVER_PORT"], env["EPICS_CA_SERVER_PORT"], "5064")},
		{"pvAccess", cmp.Or(env["EPICS_PVAS_SERVER_PORT"], env["EPICS_PVA_SERVER_PORT"], "5075")},
	} {
		if at := o.at("opi", "port"); served.port == fmt.Sprint(opi.Port) {
			r.faults.Addf(at.file, at.line, "choose another port",
				"%s serves %s at TCP port %s", inst.Name, served.protocol, served.port)
		}
	}
	config := path.Join(inst.Folder, "config")
	if inst.sources && (r.unmade || !isFolder(r.fsys, config)) {
		return // it was not made yet
	}
	entries, _ := fs.ReadDir(r.fsys, path.Join(config, "opi"))
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !hidden(e) }) {
		at := o.at("opi")
		r.faults.Addf(at.file, at.line, "add them, or move opi to the instances that have screens",
			"%s has no screens in config/opi to be served", inst.Name)
	}
}
