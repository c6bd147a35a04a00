package plan

import (
	"fmt"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Do is what a step does.
type Do string

// What steps do.
const (
	Build   Do = "build"   // an image or a support module of one
	Test    Do = "test"    // start an IOC and ask it
	Package Do = "package" // a Helm chart
	Publish Do = "publish" // to the registry; the record is the last
)

// Step is one piece of work.
type Step struct {
	Do   Do     `json:"do"`
	What string `json:"what"` // "ioc-simstage-runtime", "chart bl01t-mo-ioc-01"
	// the file that asks for it, and with what: "generic-iocs/ioc-simstage/image.yaml:4: simstage at tree"
	Why string `json:"why"`
}

// steps lists the work of a release.
func (p *Plan) steps() []Step {
	var steps []Step
	add := func(do Do, what, why string, args ...any) {
		steps = append(steps, Step{do, what, fmt.Sprintf(why, args...)})
	}
	tagged := fmt.Sprintf("tag %s", p.Tag)
	switch p.Kind {
	case asset.Image:
		img := p.Image
		for _, m := range img.Modules {
			add(Build, "support module "+m.Name, "%s:%d: %s at %s", img.File, m.Line, m.Name, m.Ref)
		}
		from := img.Base
		if from == "" {
			from = img.Parent.String()
		}
		for _, target := range img.Targets {
			add(Build, "image "+img.Name.Image(target), "%s: from %s", img.File, from)
		}
		if img.IOC {
			add(Test, "IOC of "+img.Name.Image(asset.Runtime), "%s: smoke", img.File)
		} else {
			add(Test, "clients of "+img.Name.Image(asset.Runtime), "%s: it has no IOC", img.File)
		}
		for _, target := range img.Targets {
			add(Publish, "image "+img.Name.Image(target), "%s", tagged)
		}
	case asset.Library:
		add(Package, "chart "+string(p.Tag.Asset), "%s", path.Join(charts, string(p.Tag.Asset)))
		add(Publish, "chart "+string(p.Tag.Asset), "%s", tagged)
	case asset.Beamline:
		for _, i := range p.Beamline.Instances {
			switch {
			case i.Service == "":
				add(Test, "IOC "+i.Name, "%s: image %s", i.File, i.Image)
			case len(i.Boot) > 0:
				add(Test, "service "+i.Name, "%s: %s in %s", i.File, strings.Join(i.Boot, " "), i.Runs)
			}
		}
		for _, i := range p.Beamline.Instances {
			with := "charts/ioc-lib"
			if len(i.Own) > 0 {
				with += " and " + strings.Join(i.Own, ", ")
			}
			add(Package, "chart "+i.Name, "%s with %s", path.Dir(i.File), with)
		}
		for _, i := range p.Beamline.Instances {
			add(Publish, "chart "+i.Name, "%s", tagged)
		}
	}
	add(Publish, "record "+p.Tag.String(), "%s: last, since a release exists when its record does", tagged)
	return steps
}

// steps lists the work on a changed asset.
func (c Changed) steps() []Step {
	why := joined(c.Why)
	switch c.Kind {
	case asset.Image:
		return []Step{{Build, "image " + string(c.Asset), why}, {Test, "image " + string(c.Asset), why}}
	case asset.Library:
		return []Step{{Package, "chart " + string(c.Asset), why}}
	}
	var steps []Step
	for _, i := range c.Instances {
		why := joined(i.Why)
		steps = append(steps, Step{Test, "IOC " + i.Name, why}, Step{Package, "chart " + i.Name, why})
	}
	return steps
}
