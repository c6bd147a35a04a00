package lockfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	imageref "github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Read reads the lock files of the named images of a tree. The error joins
// every pin that is missing or that pins something else than the recipe names,
// a *diag.Error each, by file and line.
func Read(fsys fs.FS, tree *recipe.Tree, images ...asset.Name) (map[asset.Name]*Lock, error) {
	locks := map[asset.Name]*Lock{}
	var faults diag.Faults
	for _, name := range images {
		if _, done := locks[name]; done {
			continue // images named together may be built on the same one
		}
		r := reader{tree: tree, img: tree.Images[name], faults: &faults}
		locks[name] = r.read(fsys)
	}
	return locks, faults.Err()
}

// reader reads one lock file.
type reader struct {
	tree   *recipe.Tree
	img    *recipe.Image
	doc    *strictyaml.Doc
	faults *diag.Faults
}

// fix is what to do about every fault of a lock.
func (r *reader) fix() string {
	return fmt.Sprintf("run: tagline lock %s, and commit %s", r.img.Name, Path(r.img))
}

func (r *reader) read(fsys fs.FS) *Lock {
	file := Path(r.img)
	text, err := fs.ReadFile(fsys, file)
	if errors.Is(err, fs.ErrNotExist) {
		if names := r.unpinned(); len(names) > 0 {
			r.faults.Addf(r.img.File, 0, r.fix(), "%s is not locked: nothing says which content is meant by %s",
				r.img.Name, strings.Join(names, ", "))
		}
		return &Lock{}
	}
	if err != nil {
		r.faults.Addf(file, 0, "replace it by a file", "it can't be read: %w", err)
		return nil
	}
	lock, doc, err := schema().Read(file, text)
	r.faults.Add(err)
	if lock != nil && err == nil {
		r.doc = doc
		r.check(lock)
	}
	return lock
}

// unpinned returns the names in a recipe that stand for something outside the
// tree.
func (r *reader) unpinned() []string {
	var names []string
	if r.img.Base != "" {
		names = append(names, r.img.Base)
	}
	for _, ref := range r.img.Modules {
		if ref.Ref != "" {
			names = append(names, ref.Name+" "+ref.Ref)
		}
	}
	names = append(names, r.tree.Packages(r.img)...)
	return append(names, r.img.Run...)
}

// check compares a lock with the recipe.
func (r *reader) check(lock *Lock) {
	if !sameImage(r.img.Base, lock.Base) {
		r.fault(strictyaml.Path{"base"}, "the lock is of %s, and the image is built on %s",
			cmp.Or(lock.Base, "no container image"), cmp.Or(r.img.Base, r.img.Parent.String()))
	}
	refs := map[string]string{}
	for _, ref := range r.img.Modules {
		refs[ref.Name] = ref.Ref
		if ref.Ref == "" {
			continue
		}
		switch locked, ok := lock.Modules[ref.Name]; {
		case !ok:
			r.fault(strictyaml.Path{"modules"}, "%s %s is not locked", ref.Name, ref.Ref)
		case locked.Ref != ref.Ref:
			r.fault(strictyaml.Path{"modules", ref.Name},
				"%s is locked at %s, and the recipe names %s", ref.Name, locked.Ref, ref.Ref)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lock.Modules)) {
		if refs[name] == "" {
			r.fault(strictyaml.Path{"modules", name},
				"%s is locked, and the recipe does not build it from git", name)
		}
	}
	r.packages("build", r.tree.Packages(r.img), lock.Packages.Build)
	r.packages("run", r.img.Run, lock.Packages.Build, lock.Packages.Run)
}

// packages refuses a lock without a package that the recipe names.
func (r *reader) packages(key string, named []string, locked ...map[string]string) {
	for _, p := range named {
		if !slices.ContainsFunc(locked, func(m map[string]string) bool { return m[p] != "" }) {
			r.fault(strictyaml.Path{"packages", key}, "the Debian package %s is not locked", p)
		}
	}
}

func (r *reader) fault(path strictyaml.Path, format string, args ...any) {
	r.faults.Add(r.doc.Faultf(path, r.fix(), format, args...))
}

// sameImage reports whether a locked container image is the named one, at some
// digest.
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

// Resolved returns the named image at the digest with which an engine answered. An
// engine that has the same content under another name may answer with that name.
func Resolved(named, answered string) string {
	_, digest, pinned := strings.Cut(answered, "@")
	if sameImage(named, answered) || !pinned {
		return answered
	}
	tagged, _, _ := strings.Cut(named, "@")
	return tagged + "@" + digest
}

// canonical spells a container image in full.
func canonical(image string) string {
	ref, err := imageref.ParseReference(image)
	if err != nil {
		return image
	}
	return ref.Name()
}
