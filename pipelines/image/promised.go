package image

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// promise is one kind of file that a module's recipe says it gives an IOC.
type promise struct {
	kind  string   // "dbd", as people say
	names []string // as the recipe has them
	glob  string   // what there is of the kind, below the module's folder
	paths func(name string) []string
}

// promises returns what a module's recipe says it gives an IOC. Libraries that
// are named by a make variable are left out.
func promises(mod *recipe.Module) []promise {
	const lib = "lib/" + layout.HostArch + "/"
	plain := slices.DeleteFunc(slices.Clone(mod.Libs), func(n string) bool { return strings.HasPrefix(n, "$(") })
	return []promise{
		{"dbd", mod.DBDs, "dbd/*", func(n string) []string { return []string{"dbd/" + n} }},
		{"library", plain, lib + "*", func(n string) []string { return []string{lib + "lib" + n + ".so", lib + "lib" + n + ".a"} }},
		{"file", mod.Files, "*", func(n string) []string { return []string{n} }},
	}
}

// promised refuses a module that did not build what its file says it gives an
// IOC: said here, the IOC's build need not be searched for it. c has the module
// and all its needs in their places.
func (b Builder) promised(ctx context.Context, mod *recipe.Module, c *dagger.Container) error {
	var faults diag.Faults
	for _, p := range promises(mod) {
		for _, name := range p.names {
			found, err := b.exists(ctx, mod, c, p.paths(name))
			if err != nil {
				return err
			}
			if found {
				continue
			}
			built, err := c.Directory(layout.Module(mod.Name)).Glob(ctx, p.glob)
			if err != nil {
				return fmt.Errorf("listing what %s has built: %w", mod.Name, err)
			}
			faults.Addf(mod.File, mod.Lines[name], "correct the name; it has "+list(built), "%s has built no %s %s", mod.Name, p.kind, name)
		}
	}
	return faults.Err()
}

// exists reports whether one of the paths is in a module or in what it needs.
func (b Builder) exists(ctx context.Context, mod *recipe.Module, c *dagger.Container, paths []string) (bool, error) {
	for _, name := range slices.Backward(b.Tree.Closure(mod.Name)) {
		for _, p := range paths {
			found, err := c.Exists(ctx, path.Join(layout.Module(name), p))
			if err != nil || found {
				return found, err
			}
		}
	}
	return false, nil
}

// list names files as a person reads them, a few of many.
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
