// Package plan says what a tag or a change asks for: what is built, tested,
// packaged and published, and why. It reads a tree and touches nothing.
package plan

import (
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Plan is what releasing one tag does. Beside Library charts, of which there
// is nothing more to say, one of Image and Beamline is set.
type Plan struct {
	Tag      asset.Tag  `json:"tag"`    // "bl01t/2026.11.1"
	Kind     asset.Kind `json:"kind"`   // of the tag's asset
	Commit   string     `json:"commit"` // whose tree was read, 40 hex digits
	Image    *Image     `json:"image,omitempty"`
	Beamline *Beamline  `json:"beamline,omitempty"`
	Steps    []Step     `json:"steps"` // in the order they are done
}

// Image is what an image's release builds.
type Image struct {
	Name    asset.Name     `json:"name"`
	File    string         `json:"file"`            // its recipe: "generic-iocs/ioc-simstage/image.yaml"
	Parent  asset.Pin      `json:"parent,omitzero"` // the released image it is built on …
	Base    string         `json:"base,omitempty"`  // … or the container image, of the hierarchy's root
	Modules []Module       `json:"modules"`         // built in this image, in build order
	IOC     bool           `json:"ioc"`             // whether it has an IOC, which is smoke-tested
	Targets []asset.Target `json:"targets"`         // "developer", "runtime"
}

// Module is a support module that an image builds.
type Module struct {
	Name string `json:"name"`
	Ref  string `json:"ref"`  // git ref of its source, or "tree"
	File string `json:"file"` // its file: "generic-iocs/support/asyn.yaml"
	Line int    `json:"line"` // in image.yaml, where it is asked for
}

// Beamline is what a beamline's release packages.
type Beamline struct {
	Name      asset.Name `json:"name"`
	File      string     `json:"file"`
	Namespace string     `json:"namespace"`
	Instances []Instance `json:"instances"` // sorted by name
}

// Instance is an IOC instance, one chart.
type Instance struct {
	Name    string    `json:"name"`
	File    string    `json:"file"`              // its values.yaml
	Image   asset.Pin `json:"image"`             // the released generic IOC it runs
	Service string    `json:"service,omitempty"` // what it is in place of an IOC
	Runs    asset.Ref `json:"runs,omitempty"`    // the image of a service by digest; empty where its own chart says it
	Boot    []string  `json:"boot,omitempty"`    // the command that tests a service
	Own     []string  `json:"own,omitempty"`     // files of a chart of its own: "Chart.yaml", "templates/service.yaml"
	// what that chart needs beyond an IOC; New leaves it out, as it renders no charts
	Needs []string `json:"needs,omitempty"`
}

// New plans the release of a git tag from the tree at its commit. It refuses
// (diag.Invalid) a tag of no asset of the tree, a version that the asset's kind
// cannot have, and every fault of the files that the asset is made of.
func New(fsys fs.FS, commit, gitTag string) (*Plan, error) {
	assets, err := Assets(fsys)
	if err != nil {
		return nil, err
	}
	tag, err := assets.Resolve(gitTag)
	if err != nil {
		return nil, err
	}
	p := &Plan{Tag: tag, Kind: assets[tag.Asset], Commit: commit}
	switch p.Kind {
	case asset.Image:
		recipes, err := recipefile.Read(fsys)
		if err != nil {
			return nil, err
		}
		p.Image = image(recipes, tag.Asset)
	case asset.Beamline:
		bl, err := beamline.Read(fsys, tag.Asset)
		if err != nil {
			return nil, err
		}
		p.Beamline = instances(bl)
	}
	p.Steps = p.steps()
	return p, nil
}

func image(recipes *recipe.Tree, name asset.Name) *Image {
	img := recipes.Images[name]
	p := &Image{
		Name: name, File: img.File, Parent: img.Parent, Base: img.Base, Modules: []Module{}, IOC: img.IOC != nil,
		Targets: []asset.Target{asset.Developer, asset.Runtime},
	}
	for _, m := range recipes.Order(img) {
		ref := m.Ref
		if ref == "" {
			ref = "tree"
		}
		p.Modules = append(p.Modules, Module{Name: m.Name, Ref: ref, File: recipes.Modules[m.Name].File, Line: m.Line})
	}
	return p
}

func instances(bl *beamline.Beamline) *Beamline {
	p := &Beamline{Name: bl.Name, File: bl.File, Namespace: bl.Namespace, Instances: []Instance{}}
	for _, i := range bl.Instances {
		one := Instance{
			Name: i.Name, File: i.File, Image: i.Image, Service: i.Service, Own: slices.Sorted(maps.Keys(i.Own)),
		}
		if is := i.Foreign; is != nil {
			one.Runs, one.Boot = is.Image, is.Boot
		}
		p.Instances = append(p.Instances, one)
	}
	return p
}
