package beamline

import (
	"cmp"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Device is a serial or USB device: by its path at the node, or one that the
// cluster hands out.
type Device struct {
	Path     string `json:"path,omitempty" jsonschema:"title=path of a device,pattern=^/dev/[^:\\s]+$,example=/dev/ttyUSB0" jsonschema_description:"Its path at the node, and in the IOC. The container is privileged then: Kubernetes lets no other open a device of the node. /dev/bus/usb is the whole bus."`
	Resource string `json:"resource,omitempty" jsonschema:"title=extended resource,pattern=^[a-z0-9][-a-z0-9.]*/[A-Za-z0-9][-A-Za-z0-9_.]*$,example=smarter-devices/ttyUSB0" jsonschema_description:"What a device plugin of the cluster calls it."`
	Claim    string `json:"claim,omitempty" jsonschema:"title=name of a claim,pattern=^[a-z0-9]([-a-z0-9.]{0\\,251}[a-z0-9])?$,example=bl01t-camera" jsonschema_description:"A ResourceClaim of the namespace that is there already."`
	Group    int64  `json:"group,omitempty" jsonschema:"minimum=1,maximum=2147483647,example=20" jsonschema_description:"The id of the group that may open it, as ls -ln shows it at the node: that of dialout for serial lines."`
}

// checkDevices wants each device from one place, and once.
func (r *reader) checkDevices(doc *strictyaml.Doc, where strictyaml.Path, devices []Device) {
	seen := map[string]bool{}
	for i, d := range devices {
		p := below(where, i)
		if n := count(d.Path != "", d.Resource != "", d.Claim != ""); n != 1 {
			r.faultAt(doc, p, "write one of path, resource and claim", "the device is named in %d ways", n)
			continue
		}
		name := cmp.Or(d.Path, d.Resource, d.Claim)
		if seen[name] {
			r.faultAt(doc, p, "remove one", "the device %q is there twice", name)
		}
		seen[name] = true
		r.checkNoWayUp(doc, below(p, "path"), d.Path)
	}
}

// count returns how many are true.
func count(all ...bool) (n int) {
	for _, one := range all {
		if one {
			n++
		}
	}
	return n
}
