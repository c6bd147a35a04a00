package recipe

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// LockFile is the name of an image's lock file, beside its image.yaml.
const LockFile = "image.lock.yaml"

// Lock is what the names in an image's recipe stood for when it was locked.
type Lock struct {
	// Base is the root's container image by digest:
	// "docker.io/library/debian:trixie-slim@sha256:…". Empty for other images.
	Base string `json:"base,omitempty" yaml:"base,omitempty" jsonschema:"title=container image by digest,pattern=^[^\\s@]+@sha256:[0-9a-f]{64}$,example=docker.io/library/debian:trixie-slim@sha256:97b037379843f0958ec61280d628a4256e0fe701c6e91c5ae76f2117bb75dbb0" jsonschema_description:"The root's container image by digest."`
	// Modules are the support modules whose source is in git.
	Modules map[string]LockedModule `json:"modules,omitempty" yaml:"modules,omitempty" jsonschema_description:"The commits that the refs of support modules stand for."`
	// Packages are all Debian packages that the recipe brings, those that its own need with them.
	Packages LockedPackages `json:"packages,omitzero" yaml:"packages,omitempty" jsonschema_description:"The versions of Debian packages, of those that the recipe names and those that they need."`
}

// LockedModule is the source of a support module.
type LockedModule struct {
	Ref    string `json:"ref" yaml:"ref" jsonschema:"minLength=1,example=R4-45" jsonschema_description:"The git ref, as in image.yaml."`
	Commit Commit `json:"commit" yaml:"commit" jsonschema_description:"The commit it stands for."`
	// Submodules are commits by path.
	Submodules map[string]Commit `json:"submodules,omitempty" yaml:"submodules,omitempty" jsonschema_description:"The commits of the submodules that are wanted."`
}

// LockedPackages are versions of Debian packages by name.
type LockedPackages struct {
	Build map[string]string `json:"build,omitempty" yaml:"build,omitempty" jsonschema_description:"Of the developer image."`
	Run   map[string]string `json:"run,omitempty" yaml:"run,omitempty" jsonschema_description:"Of the runtime image alone."`
}

// Commit is a git commit: 40 hex digits.
type Commit string

// JSONSchema says what git's hashes look like.
func (Commit) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("git commit", `^[0-9a-f]{40}$`, "0123456789abcdef0123456789abcdef01234567")
}

var lockSchema = sync.OnceValue(func() *strictyaml.Schema[Lock] {
	return strictyaml.New[Lock]("Lock file", "generic-iocs/<name>/image.lock.yaml: what the names in image.yaml stood for. tagline lock writes it.")
})

// Text is the lock as its file holds it: the same bytes for the same lock, and
// empty for one that pins nothing and needs no file.
func (l *Lock) Text() ([]byte, error) {
	if l.Base == "" && len(l.Modules)+len(l.Packages.Build)+len(l.Packages.Run) == 0 {
		return nil, nil
	}
	text, err := yaml.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("writing a lock file: %w", err)
	}
	return append([]byte("# Written by tagline lock; commit it with image.yaml.\n"), text...), nil
}

// LockPath is where the lock file of an image is, from the tree's root.
func (i *Image) LockPath() string { return path.Join(path.Dir(i.File), LockFile) }

// Packages are the Debian packages that img's developer image names: its own
// and those of the modules built in it, sorted.
func (t *Tree) Packages(img *Image) []string {
	all := slices.Clone(img.Build)
	for _, ref := range img.Modules {
		all = append(all, t.Modules[ref.Name].Packages...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Locks reads the lock files of the named images. The error joins every pin
// that is missing or is of something else than the recipe now names, a
// *diag.Error each, by file and line.
func (t *Tree) Locks(fsys fs.FS, images ...string) (map[string]*Lock, error) {
	locks := map[string]*Lock{}
	var faults diag.Faults
	for _, name := range images {
		if _, done := locks[name]; done {
			continue // images named together may be built on the same one
		}
		l := locker{tree: t, img: t.Images[name], faults: &faults}
		locks[name] = l.read(fsys)
	}
	return locks, faults.Err()
}

// locker reads one lock file.
type locker struct {
	tree   *Tree
	img    *Image
	doc    *strictyaml.Doc
	faults *diag.Faults
}

// mend is what to do about every fault of a lock.
func (l *locker) mend() string {
	return fmt.Sprintf("run: tagline lock %s, and commit %s", l.img.Name, l.img.LockPath())
}

func (l *locker) read(fsys fs.FS) *Lock {
	text, err := fs.ReadFile(fsys, l.img.LockPath())
	if errors.Is(err, fs.ErrNotExist) {
		if pins := l.pins(); len(pins) > 0 {
			l.faults.Addf(l.img.File, 0, l.mend(), "%s is not locked: nothing says which content is meant by %s", l.img.Name, strings.Join(pins, ", "))
		}
		return &Lock{}
	}
	if err != nil {
		l.faults.Addf(l.img.LockPath(), 0, "replace it by a file", "it can't be read: %w", err)
		return nil
	}
	lock, doc, err := lockSchema().Read(l.img.LockPath(), text)
	l.faults.Add(err)
	if lock != nil && err == nil {
		l.doc = doc
		l.check(lock)
	}
	return lock
}

// pins are the names in a recipe that stand for something outside the tree.
func (l *locker) pins() []string {
	var all []string
	if l.img.Base != "" {
		all = append(all, l.img.Base)
	}
	for _, ref := range l.img.Modules {
		if ref.Ref != "" {
			all = append(all, ref.Name+" "+ref.Ref)
		}
	}
	all = append(all, l.tree.Packages(l.img)...)
	return append(all, l.img.Run...)
}

// check compares a lock with the recipe.
func (l *locker) check(lock *Lock) {
	if !sameImage(l.img.Base, lock.Base) {
		l.say(strictyaml.Path{"base"}, "the lock is of %s, and the image is built on %s", cmp.Or(lock.Base, "no container image"), cmp.Or(l.img.Base, l.img.Parent.String()))
	}
	refs := map[string]string{}
	for _, ref := range l.img.Modules {
		refs[ref.Name] = ref.Ref
		if ref.Ref == "" {
			continue
		}
		switch locked, ok := lock.Modules[ref.Name]; {
		case !ok:
			l.say(strictyaml.Path{"modules"}, "%s %s is not locked", ref.Name, ref.Ref)
		case locked.Ref != ref.Ref:
			l.say(strictyaml.Path{"modules", ref.Name}, "%s is locked at %s, and the recipe names %s", ref.Name, locked.Ref, ref.Ref)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Modules)) {
		if refs[name] == "" {
			l.say(strictyaml.Path{"modules", name}, "%s is locked, and the recipe does not build it from git", name)
		}
	}
	l.packages("build", l.tree.Packages(l.img), lock.Packages.Build)
	l.packages("run", l.img.Run, lock.Packages.Build, lock.Packages.Run)
}

// packages wants every package that the recipe names among those locked.
func (l *locker) packages(key string, named []string, locked ...map[string]string) {
	for _, p := range named {
		if !slices.ContainsFunc(locked, func(m map[string]string) bool { return m[p] != "" }) {
			l.say(strictyaml.Path{"packages", key}, "the Debian package %s is not locked", p)
		}
	}
}

func (l *locker) say(at strictyaml.Path, format string, args ...any) {
	l.faults.Add(l.doc.Faultf(at, l.mend(), format, args...))
}

// sameImage tells whether a locked container image is the one that is named,
// at some digest.
func sameImage(named, locked string) bool {
	if named == "" || locked == "" {
		return named == locked
	}
	if strings.Contains(named, "@") {
		return canonical(named) == canonical(locked)
	}
	tagged, _, _ := strings.Cut(locked, "@")
	return canonical(named) == canonical(tagged)
}

// canonical spells a container image in full.
func canonical(image string) string {
	ref, err := name.ParseReference(image)
	if err != nil {
		return image
	}
	return ref.Name()
}
