package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Image is a generic IOC image of the tree, built on parents from the tree.
type Image struct {
	// Its folder below generic-iocs/.
	Name string
	// What it is built on: a released image, or the container image of the root.
	From string

	// +private
	Site *Tagline
	// +private
	Rev string
}

// Images lists the generic IOC images of the tree.
func (t *Tagline) Images(
	ctx context.Context,
	// +default="HEAD"
	rev string,
) ([]*Image, error) {
	files, err := t.files(ctx, rev)
	if err != nil {
		return nil, err
	}
	recipes, err := recipefile.Read(files)
	if err != nil {
		return nil, err
	}
	var all []*Image
	for _, name := range slices.Sorted(maps.Keys(recipes.Images)) {
		img := recipes.Images[name]
		from := img.Base
		if from == "" {
			from = img.Parent.String()
		}
		all = append(all, &Image{Name: string(name), From: from, Site: t, Rev: rev})
	}
	return all, nil
}

// Image is one generic IOC image of the tree. It needs no registry.
func (t *Tagline) Image(
	ctx context.Context,
	// The image's folder below generic-iocs/.
	name string,
	// +default="HEAD"
	rev string,
) (*Image, error) {
	all, err := t.Images(ctx, rev)
	if err != nil {
		return nil, err
	}
	return find("generic IOC image", name, all, func(i *Image) string { return i.Name })
}

// Developer is what a developer works in: compilers, sources and tools.
func (i *Image) Developer(ctx context.Context) (*dagger.Container, error) {
	return i.target(ctx, asset.Developer)
}

// Runtime is the minimum that runs.
func (i *Image) Runtime(ctx context.Context) (*dagger.Container, error) {
	return i.target(ctx, asset.Runtime)
}

func (i *Image) target(ctx context.Context, target asset.Target) (*dagger.Container, error) {
	p, err := i.Site.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	built, err := p.Image(ctx, p.Repo, i.Rev, asset.Name(i.Name))
	if err != nil {
		return nil, err
	}
	return container(ctx, built.Target(target))
}

// Ioc is the generic IOC of an image of the tree with the start-up script of its
// smoke test, as a service: Channel Access on port 5064, pvAccess on 5075.
func (t *Tagline) Ioc(
	ctx context.Context,
	// The image's folder below generic-iocs/.
	name string,
	// +default="HEAD"
	rev string,
) (*dagger.Service, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	c, err := p.IOC(ctx, p.Repo, rev, asset.Name(name)) // which refuses what is no name
	if err != nil {
		return nil, err
	}
	return serve(ctx, c)
}

// Beamline is a beamline of the tree.
type Beamline struct {
	// Its folder below beamlines/.
	Name string
	// The namespace that its IOCs run in.
	Namespace string
	// Its IOC instances, by name.
	Instances []*Instance
}

// Instance is an IOC instance of a beamline of the tree.
type Instance struct {
	// Its folder below beamlines/…/iocs/.
	Name string
	// The beamline that it belongs to.
	Beamline string
	// The generic IOC that it runs: "ioc-simstage 1.0.0"; empty for a service.
	Image string
	// The PV that tells whether it lives.
	ProbePV string

	// +private
	Site *Tagline
	// +private
	Rev string
}

// Beamlines lists the beamlines of the tree with their IOC instances.
func (t *Tagline) Beamlines(
	ctx context.Context,
	// +default="HEAD"
	rev string,
) ([]*Beamline, error) {
	files, err := t.files(ctx, rev)
	if err != nil {
		return nil, err
	}
	names, err := beamline.Names(files)
	if err != nil {
		return nil, err
	}
	all := make([]*Beamline, len(names))
	faults := make([]error, len(names))
	for i, name := range names {
		var bl *beamline.Beamline
		if bl, faults[i] = beamline.Read(files, name); faults[i] != nil {
			continue
		}
		all[i] = &Beamline{Name: string(name), Namespace: bl.Namespace}
		for _, inst := range bl.Instances {
			one := &Instance{
				Name: inst.Name, Beamline: string(name), ProbePV: inst.Values.ProbePV, Site: t, Rev: rev,
			}
			if inst.Service == "" {
				one.Image = inst.Image.String()
			}
			all[i].Instances = append(all[i].Instances, one)
		}
	}
	return all, errors.Join(faults...)
}

// Instances lists the IOC instances of all beamlines of the tree.
func (t *Tagline) Instances(
	ctx context.Context,
	// +default="HEAD"
	rev string,
) ([]*Instance, error) {
	lines, err := t.Beamlines(ctx, rev)
	if err != nil {
		return nil, err
	}
	var all []*Instance
	for _, b := range lines {
		all = append(all, b.Instances...)
	}
	return all, nil
}

// Instance is one IOC instance of the tree.
func (t *Tagline) Instance(
	ctx context.Context,
	// The instance's folder: bl01t-mo-ioc-01
	name string,
	// +default="HEAD"
	rev string,
) (*Instance, error) {
	all, err := t.Instances(ctx, rev)
	if err != nil {
		return nil, err
	}
	return find("IOC instance", name, all, func(i *Instance) string { return i.Name })
}

// Container is the instance as its pod runs it: the generic IOC that it is
// pinned to, released or from the tree, its config folder, its environment and user.
func (i *Instance) Container(
	ctx context.Context,
	// Build the generic IOC from the tree: no registry is needed.
	// +optional
	inTree bool,
) (*dagger.Container, error) {
	open := i.Site.releases
	if inTree {
		open = i.Site.pipeline
	}
	p, err := open(ctx)
	if err != nil {
		return nil, err
	}
	c, err := p.Instance(ctx, i.Rev, asset.Name(i.Beamline), i.Name, inTree)
	if err != nil {
		return nil, err
	}
	return container(ctx, c)
}

// Terminal opens a shell where the instance runs, before its IOC is started.
func (i *Instance) Terminal(
	ctx context.Context,
	// Build the generic IOC from the tree: no registry is needed.
	// +optional
	inTree bool,
) (*dagger.Container, error) {
	c, err := i.Container(ctx, inTree)
	if err != nil {
		return nil, err
	}
	return c.Terminal(dagger.ContainerTerminalOpts{Cmd: []string{"/bin/sh"}}), nil
}

// Ioc is the instance's IOC as a service: Channel Access on port 5064, pvAccess
// on 5075.
func (i *Instance) Ioc(
	ctx context.Context,
	// Build the generic IOC from the tree: no registry is needed.
	// +optional
	inTree bool,
) (*dagger.Service, error) {
	c, err := i.Container(ctx, inTree)
	if err != nil {
		return nil, err
	}
	return asService(c), nil
}

// find returns the item of a name, or says which names there are.
func find[T any](kind, name string, all []*T, nameOf func(*T) string) (*T, error) {
	names := make([]string, len(all))
	for i, item := range all {
		if names[i] = nameOf(item); names[i] == name {
			return item, nil
		}
	}
	fix := "name one of " + strings.Join(names, ", ")
	if len(names) == 0 {
		fix = "commit one, or name another revision: this one has none"
	}
	return nil, &diag.Error{
		Kind: diag.Invalid, Doing: "looking for", Asset: name,
		Err: fmt.Errorf("the tree has no %s of that name", kind), Fix: fix,
	}
}
