// Package beamline reads beamlines/ as typed values.
package beamline

import (
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Beamline is beamlines/<name>/: beamline.yaml and its IOC instances.
type Beamline struct {
	Name      asset.Name // the folder's
	File      string     // "beamlines/bl01t/beamline.yaml"
	Namespace string
	Gate      record.Policy // who must approve
	Values    Values        // shared by all instances
	Generate  *Generate     // of its instances with sources, where they say nothing else; may be nil
	Instances []*Instance   // sorted by name
}

// Instance is beamlines/<beamline>/iocs/<name>/: values.yaml and config/.
type Instance struct {
	Name  string    // the folder's: "bl01t-mo-ioc-01"
	File  string    // its values.yaml, from the root
	Image asset.Pin // image: "ioc-simstage 1.0.0", the generic IOC it runs; none of a service
	// Service says what this is in place of an IOC: Foreign or its own chart says what
	// runs. Empty for an IOC.
	Service string
	// Foreign is what a service without a chart of its own runs; nil for all others.
	Foreign   *Foreign
	NotBooted string            // why nothing of a service is tested, where it says so
	Folder    string            // "beamlines/bl01t/iocs/bl01t-mo-ioc-01"
	Values    Values            // the beamline's values overlaid by the instance's own
	Config    map[string][]byte // config/ by the path in it: st.cmd is always there
	// Generator makes Config from sources; nil where Config is written by hand.
	Generator *Generator
	Chart     bool // it has its own Chart.yaml and templates/
	// those, by path below Folder: "Chart.yaml", "templates/service.yaml"; nil for an ordinary IOC
	Own map[string][]byte

	written map[string]any // the values that its own file has
	sources bool           // it has a folder with the sources of Config
}

// maxMounted is how many bytes of files a ConfigMap gets. Helm keeps each of
// them twice in one Secret, which takes 1 MiB: this much fits whatever it is.
const maxMounted = 256 << 10

// InImage reports whether the config folder is a layer of an image of the
// instance's own: a ConfigMap can't have it, because it is too large, or has
// folders or names that are no keys.
func (i *Instance) InImage() bool {
	size := 0
	for name, content := range i.Config {
		size += len(content)
		if len(validation.IsConfigMapKey(name)) > 0 {
			return true
		}
	}
	return size > maxMounted
}

// Instance returns the instance of a name. The error is of kind diag.Invalid when
// there is none, and names those there are.
func (b *Beamline) Instance(name string) (*Instance, error) {
	var names []string
	for _, inst := range b.Instances {
		if inst.Name == name {
			return inst, nil
		}
		names = append(names, inst.Name)
	}
	return nil, diag.Invalidf(
		path.Join(Dir, string(b.Name), "iocs"), 0, "the instances here are "+strings.Join(names, ", "),
		"beamline %s has no IOC instance %q", b.Name, name,
	)
}

// Under returns the values that the instance would have if its beamline's were
// these. Those that only an IOC has are left out of a service by image.
func (i *Instance) Under(shared Values) Values {
	v := overlay(shared, i.written)
	if i.Foreign != nil {
		for key, field := range v.byKey() {
			if slices.Contains(ofIOCs, key) {
				field.SetZero()
			}
		}
	}
	return v
}

// Boots reports whether something of the instance is started before it is released:
// its IOC, or the command by which a service is tested.
func (i *Instance) Boots() bool {
	return i.Service == "" || i.Foreign != nil && len(i.Foreign.Boot) > 0
}

// Reaches reports whether the instance's chart may reach further than that of an
// ordinary IOC: it brings templates, or has values that can.
func (i *Instance) Reaches() bool {
	v := i.Values
	return i.Chart || i.Foreign != nil || v.Network == "cluster" || v.ServiceAccount != "" || v.Opi != nil ||
		len(v.Volumes)+len(v.Devices)+len(v.Annotations)+len(v.InitContainers)+len(v.Containers)+
			len(v.Pod)+len(v.Container) > 0
}
