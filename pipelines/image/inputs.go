package image

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// own is the source of this room.
//
//go:embed *.go *.sh *.mk
var own embed.FS

// maker is the digest of what fetches, configures and builds support modules.
var maker = sync.OnceValue(func() asset.Digest {
	return inputs.Rooms(
		own, source.Source, upstream.Source, debian.Source, engine.Source, layout.Source, recipe.Source,
	)
})

// moduleInputs is all that the built folder of a support module depends on. Structs of
// other rooms are taken whole, so that a field that is added to one of them counts.
type moduleInputs struct {
	Maker    asset.Digest
	On       asset.Digest      // the developer image that it is built on, or the root's container image
	Base     string            // the root's container image, in which its source is patched
	Packages []string          // Debian packages that are added to On
	Versions map[string]string // that they are locked at
	Targets  []string          // that each module of the image is told
	Source   record.Source
	Locked   lockfile.Module
	Patches  map[string]asset.Digest // by name
	Closure  []neededInputs          // needs first, itself last
}

// neededInputs is a module of another's closure. What is built below the image is in On,
// but for what its recipe says of it.
type neededInputs struct {
	Recipe recipe.Module
	Inputs asset.Digest // of a module that is built in the image too
}

// Inputs returns the sources of img's modules, pinned and in the order in which they are
// built, with the digest of the inputs of each; and, where b.Former has a module with
// the same ones, the release that built it. parent is what img is built on. Inputs are
// empty, as not known, where that is in no registry.
func (b Builder) Inputs(img *recipe.Image, parent *Image, pinned []record.Source) ([]record.Source, error) {
	all := make([]record.Source, len(pinned))
	known := map[string]asset.Digest{}
	for i, src := range pinned {
		of, err := b.moduleInputs(img, parent, src, known)
		if err != nil {
			return nil, err
		}
		if of.On != "" {
			src.Inputs = inputs.Of(of)
		}
		known[src.Module] = src.Inputs
		all[i] = b.Former.taken(src)
	}
	return all, nil
}

// moduleInputs returns what the module of a source depends on. known are the digests of
// the inputs of those that are built before it.
func (b Builder) moduleInputs(
	img *recipe.Image, parent *Image, src record.Source, known map[string]asset.Digest,
) (moduleInputs, error) {
	lock := b.Locks[img.Name]
	of := moduleInputs{
		Maker: maker(), On: parent.Digest, Base: string(parent.Base.Digest()),
		Packages: b.Tree.Packages(img), Versions: lock.Packages.Build, Targets: img.Targets,
		Source: src, Locked: lock.Modules[src.Module],
	}
	patches := map[string][]byte{}
	for _, name := range b.Tree.Modules[src.Module].Patches {
		text, err := fs.ReadFile(b.Files, recipe.PatchPath(name))
		if err != nil {
			return of, fmt.Errorf("reading %s: %w", recipe.PatchPath(name), err)
		}
		patches[name] = text
	}
	of.Patches = inputs.Files(patches)
	for _, name := range b.Tree.Closure(src.Module) {
		need := neededInputs{Inputs: known[name]}
		if mod := b.Tree.Modules[name]; mod != nil { // not EPICS Base of a container image that has it
			need.Recipe = *mod
			need.Recipe.Lines = nil // where its file says so
			if !slices.ContainsFunc(img.Modules, func(ref recipe.ModuleRef) bool { return ref.Name == name }) {
				need.Recipe = recorded(mod)
			}
		}
		of.Closure = append(of.Closure, need)
	}
	return of, nil
}

// recorded returns a module that is built below an image as the record of its release
// describes it, so that it is the same where it is read from the tree.
func recorded(mod *recipe.Module) recipe.Module {
	none := []string(nil) // which JSON tells from an empty list
	return recipe.Module{
		Name: mod.Name, Macro: mod.Macro, Needs: append(none, mod.Needs...), DBDs: append(none, mod.DBDs...),
		Libs: append(none, mod.Libs...), Files: append(none, mod.Files...),
	}
}

// Former is the release before of the image that is built, whose record was verified.
type Former struct {
	Record *record.Record
	Origin record.Origin // this release, as others name it
}

// taken returns the source of a module with the release that built it with the same
// inputs, if the former release has it; as it is where it must be built.
func (f *Former) taken(src record.Source) record.Source {
	if f == nil || src.Inputs == "" {
		return src
	}
	for _, had := range f.Record.Sources {
		if had.Module == src.Module && had.Inputs == src.Inputs {
			src.From = had.From // who built it, not who took it
			if src.From == nil {
				src.From = &f.Origin
			}
		}
	}
	return src
}

// same returns the digest of the former release's developer image if a module is built on
// that as on img, whose sources are given: both have the same modules, each of the same
// inputs, among which are the Debian packages and what img is built on. It is empty
// where one differs, and where there is an IOC, of whose build nothing is known.
func (f *Former) same(img *recipe.Image, sources []record.Source) asset.Digest {
	if f == nil || img.IOC != nil || f.Record.Recipe == nil || f.Record.Recipe.IOC != nil ||
		len(sources) == 0 || len(sources) != len(f.Record.Sources) {
		return ""
	}
	for _, src := range sources {
		had := slices.ContainsFunc(f.Record.Sources, func(s record.Source) bool {
			return s.Module == src.Module && s.Inputs == src.Inputs
		})
		if src.Inputs == "" || !had {
			return ""
		}
	}
	return f.Record.Image(asset.Developer).Digest
}
