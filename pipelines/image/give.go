package image

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// gives refuses a module that did not build what its file says it gives an IOC:
// told here, the IOC's build need not be searched for it. in has the module and
// all its needs in their places.
func (b Builder) gives(ctx context.Context, mod *recipe.Module, in *dagger.Container) error {
	var faults diag.Faults
	look := func(kind, folder string, names []string, where func(string) []string) error {
		for _, name := range names {
			found, err := b.anywhere(ctx, mod, in, where(name))
			if err != nil {
				return err
			}
			if found {
				continue
			}
			has, err := in.Directory(place(mod.Name)).Glob(ctx, folder)
			if err != nil {
				return fmt.Errorf("listing what %s has built: %w", mod.Name, err)
			}
			faults.Addf(mod.File, mod.Lines[name], "correct the name; it has "+list(has), "%s has built no %s %s", mod.Name, kind, name)
		}
		return nil
	}
	if err := look("dbd", "dbd/*", mod.DBDs, func(n string) []string { return []string{"dbd/" + n} }); err != nil {
		return err
	}
	libs := slices.DeleteFunc(slices.Clone(mod.Libs), func(n string) bool { return strings.HasPrefix(n, "$(") })
	if err := look("library", "lib/"+hostArch+"/*", libs, func(n string) []string {
		return []string{"lib/" + hostArch + "/lib" + n + ".so", "lib/" + hostArch + "/lib" + n + ".a"}
	}); err != nil {
		return err
	}
	if err := look("file", "*", mod.Files, func(n string) []string { return []string{n} }); err != nil {
		return err
	}
	return faults.Err()
}

// anywhere tells whether one of the paths is in a module or in what it needs.
func (b Builder) anywhere(ctx context.Context, mod *recipe.Module, in *dagger.Container, paths []string) (bool, error) {
	for _, name := range slices.Backward(b.Tree.Closure(mod.Name)) {
		for _, p := range paths {
			found, err := in.Exists(ctx, path.Join(place(name), p))
			if err != nil || found {
				return found, err
			}
		}
	}
	return false, nil
}

// list names files as a person reads them, few of many.
func list(paths []string) string {
	const most = 8
	var names []string
	for _, p := range paths {
		names = append(names, path.Base(p))
	}
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
