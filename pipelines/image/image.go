// Package image describes how a recipe becomes its developer and runtime
// containers. Describing is free; the engine builds when a result is asked for.
package image

import (
	"context"
	"io/fs"
	"slices"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/runtimeimage"
	"github.com/tagline-ci/tagline/pipelines/source"
)

// Builder describes the images of one tree.
type Builder struct {
	Client  *dagger.Client
	Files   fs.FS // the tree at the commit that is built
	Tree    *recipe.Tree
	Mirrors source.Mirrors
	Logins  source.Logins
	// Locks are by image: of those to build, and of those that they are built
	// on in the tree.
	Locks map[asset.Name]*lockfile.Lock
	// Former is where modules with the same inputs are taken from; nil builds them all.
	Former *Former

	base string // the root's container image, by digest
}

// Image is an image described: nothing runs until its containers are asked.
type Image struct {
	Base               asset.Ref // the hierarchy's root container image, by digest
	Developer, Runtime *dagger.Container
	// Digest is that of Developer in a registry, or of one there on which a module is
	// built as on it; empty where there is none.
	Digest  asset.Digest
	Sources []record.Source // of the modules built in this image
}

// Target returns the container of a target.
func (i *Image) Target(target asset.Target) *dagger.Container {
	if target == asset.Developer {
		return i.Developer
	}
	return i.Runtime
}

// Released returns an image that was released before, from the registry, by the
// digests of its two targets and of the root container image.
func Released(client *dagger.Client, developer, runtime, base asset.Ref) *Image {
	return &Image{
		Base:      base,
		Digest:    developer.Digest(),
		Developer: client.Container().From(string(developer)),
		Runtime:   client.Container().From(string(runtime)),
	}
}

// Build describes img on parent; parent is nil for the root of the hierarchy.
// It looks whether refs still point to what is locked, and asks the developer
// image which files its IOC opens, so it needs the engine and the sources.
func (b Builder) Build(ctx context.Context, img *recipe.Image, parent *Image) (*Image, error) {
	lock := b.Locks[img.Name]
	if parent == nil {
		root := asset.Ref(lock.Base)
		parent = Released(b.Client, root, root, root)
		if _, err := parent.Runtime.Sync(ctx); err != nil {
			return nil, pullFault(img, lock.Base, err)
		}
	}
	b.base = string(parent.Base)
	built := &Image{Base: parent.Base}
	dev, err := b.developer(ctx, img, parent.Developer)
	if err != nil {
		return nil, err
	}
	packaged := dev
	base := dev // for what needs EPICS Base alone, and is not built again with each module
	if dev, built.Sources, err = b.modules(ctx, img, parent, dev); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(img.Modules, func(ref recipe.ModuleRef) bool { return ref.Name == layout.BaseModule }) {
		base = dev
	}
	built.Digest = b.Former.same(img, built.Sources)
	if img.IOC != nil {
		if dev, err = b.ioc(ctx, img, dev, base); err != nil {
			return nil, err
		}
	}
	built.Developer = dev
	built.Runtime, err = runtimeimage.Computer{
		Tree: b.Tree, Image: img, Lock: lock, Developer: dev, Packages: packaged, Parent: parent.Runtime,
	}.Compute(ctx)
	return built, err
}

// developer returns what img's modules are built in: its parent's developer
// image with the packages and compilers that the recipe brings.
func (b Builder) developer(
	ctx context.Context, img *recipe.Image, parent *dagger.Container,
) (*dagger.Container, error) {
	dev, err := debian.Install(ctx, img, parent, b.Tree.Packages(img), b.Locks[img.Name].Packages.Build)
	if err != nil {
		return nil, err
	}
	dev = dev.
		WithEnvVariable("EPICS_BASE", layout.Base).
		WithEnvVariable("EPICS_HOST_ARCH", layout.HostArch).
		WithEnvVariable("PATH", layout.SearchPath).
		WithWorkdir("/epics")
	return dev, b.compilers(ctx, img, dev)
}

// pullFault returns the error that the root's container image can't be pulled.
func pullFault(img *recipe.Image, ref string, err error) error {
	return &diag.Error{
		Kind: diag.Broken, Doing: "pulling " + ref + " for", Asset: string(img.Name), File: img.File,
		Err: engine.Explain(err), Fix: "check that the engine reaches the image's registry",
	}
}

// fetcher returns what fetches the sources of img's modules.
func (b Builder) fetcher() source.Fetcher {
	return source.Fetcher{Client: b.Client, Files: b.Files, Mirrors: b.Mirrors, Logins: b.Logins, Base: b.base}
}

// wanted returns a module of img as a fetcher takes it.
func (b Builder) wanted(img *recipe.Image, ref recipe.ModuleRef) source.Wanted {
	return source.Wanted{Image: img, Ref: ref, Module: b.Tree.Modules[ref.Name]}
}
