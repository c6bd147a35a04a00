package beamline

import (
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Foreign is what a service runs that has no chart of its own: a container image that
// Tagline did not build.
type Foreign struct {
	// Image is what values.yaml names, by digest: its own, or that of the lock. It has
	// none where the lock was not read.
	Image   asset.Ref
	Command []string      // none means the image's own
	Boot    []string      // the command that tests it; empty where NotBooted says why there is none
	Within  time.Duration // that it has
	Line    int           // of boot, in values.yaml
}

// defaultBoot is the time that the command of a boot has where nothing else is said.
const defaultBoot = time.Minute

// ofIOCs are the values that only an IOC has: a service by image neither has nor
// inherits them.
var ofIOCs = []string{"probePV", "protocol", "probeAdvances", "startup", "start", "autosave", "opi"}

// serviceContainer is the name of the container that runs the image of a service.
const serviceContainer = "service"

// readWhat reads what the instance is: a generic IOC, or a service.
func (r *reader) readWhat(inst *Instance, f *instanceFile, doc *strictyaml.Doc) {
	var err error
	switch inst.Service = f.Service; {
	case inst.Service == "":
		for _, key := range []string{"command", "boot"} {
			if doc.Has(key) {
				r.faultAt(doc, strictyaml.Path{key}, "remove it, or say what it is with service",
					"an IOC has no %s, which is for services", key)
			}
		}
		if pinned.MatchString(f.Image) { // the schema refuses anything else
			if inst.Image, err = asset.ParsePin(f.Image); err != nil {
				r.faults.Add(doc.At(strictyaml.Path{"image"}, err))
			}
		}
		return
	case inst.Chart:
		r.notOf(doc, "remove it, or service", "a service is no IOC, and has no %s",
			"probePV", "protocol", "probeAdvances", "startup", "start", "opi", "generate")
		r.notOf(doc, "remove it, or Chart.yaml and templates/", "the service has a chart of its own, and no %s",
			"image", "command")
	default:
		r.notOf(doc, "remove it, or service", "a service is no IOC, and has no %s", append(ofIOCs, "generate")...)
		r.readForeign(inst, f, doc)
	}
	r.readBoot(inst, f.Boot, doc)
}

// notOf refuses keys that the instance can't have.
func (r *reader) notOf(doc *strictyaml.Doc, fix, format string, keys ...string) {
	for _, key := range keys {
		if doc.Has(key) {
			r.faultAt(doc, strictyaml.Path{key}, fix, format, key)
		}
	}
}

// readForeign reads the image of a service without a chart of its own.
func (r *reader) readForeign(inst *Instance, f *instanceFile, doc *strictyaml.Doc) {
	inst.Foreign = &Foreign{Command: f.Command}
	if f.Image == "" {
		r.faultAt(doc, strictyaml.Path{"service"}, "add image with its tag, or Chart.yaml and templates/ that say "+
			"what runs, or remove service", "a service has an image, or a chart of its own")
		return
	}
	if !contained.MatchString(f.Image) {
		return // the schema refuses it
	}
	image, err := asset.ParseRef(f.Image)
	if err != nil {
		r.faults.Add(doc.At(strictyaml.Path{"image"}, err))
		return
	}
	if inst.Foreign.Image = image; image.Digest() == "" {
		r.tagged = append(r.tagged, lockfile.Named{Image: f.Image, File: inst.File, Line: doc.Line("image")})
	}
}

// readBoot reads how a service is tested: one by image must say it.
func (r *reader) readBoot(inst *Instance, boot *bootFile, doc *strictyaml.Doc) {
	at := strictyaml.Path{"boot"}
	const either = "write the command that tests it, or none: and why nothing can"
	switch {
	case boot == nil && inst.Foreign != nil:
		r.faultAt(doc, nil, "add boot: {command: […]}, or boot: {none: why nothing of it can be tested}",
			"nothing says how the service is tested, or why it is not")
		return
	case boot == nil:
		return
	case (len(boot.Command) > 0) == (boot.None != ""):
		r.faultAt(doc, at, either, "boot has one of command and none")
	case len(boot.Command) > 0 && inst.Foreign == nil:
		r.faultAt(doc, below(at, "command"), "write none: and why, or name an image in place of the chart",
			"a command is run in the image that a service names, and this one has a chart of its own")
	case boot.Within != "" && boot.None != "":
		r.faultAt(doc, below(at, "within"), "remove it", "nothing is run that could take a time")
	}
	if inst.NotBooted = boot.None; inst.Foreign == nil {
		return
	}
	is := inst.Foreign
	is.Boot, is.Within, is.Line = boot.Command, defaultBoot, doc.Line("boot")
	if d, err := time.ParseDuration(boot.Within); err == nil { // the schema refuses anything else
		is.Within = d
	}
}

// checkServiceContainer refuses another container of a service's pod with the name of
// its own: kubectl would take one for the other.
func (r *reader) checkServiceContainer(o origins) {
	if o.inst.Foreign == nil {
		return
	}
	for _, list := range []struct {
		key string
		all []map[string]any
	}{{"initContainers", o.inst.Values.InitContainers}, {"containers", o.inst.Values.Containers}} {
		i := slices.IndexFunc(list.all, func(c map[string]any) bool { return c["name"] == serviceContainer })
		if i >= 0 {
			at := o.at(list.key, i, "name")
			r.faults.Addf(at.file, at.line, "choose another name",
				"the container of service %s is called %q", o.inst.Name, serviceContainer)
		}
	}
}

// lock gives the services that name an image by its tag the digest that is locked.
func (r *reader) lock(bl *Beamline) {
	locked, err := lockfile.ReadImages(r.fsys, bl.File, r.tagged)
	r.faults.Add(err)
	for _, inst := range bl.Instances {
		if is := inst.Foreign; is != nil && locked[string(is.Image)] != "" {
			is.Image = asset.Ref(locked[string(is.Image)])
		}
	}
}

// Tagged returns the images that the services of a beamline name by tag, as long as its
// lock was not read: each once, sorted.
func (b *Beamline) Tagged() (images []string) {
	for _, inst := range b.Instances {
		if is := inst.Foreign; is != nil && is.Image.Digest() == "" {
			images = append(images, string(is.Image))
		}
	}
	slices.Sort(images)
	return slices.Compact(images)
}
