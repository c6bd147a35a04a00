package image

import (
	"context"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// promise is one kind of file that a module's recipe promises to an IOC.
type promise struct {
	kind  string   // "dbd", as people say
	names []string // as the recipe has them
	glob  string   // what there is of the kind, below the module's folder
	paths func(name string) []string
}

// promises returns what a module's recipe promises to an IOC. Libraries that
// are named by a make variable are left out.
func promises(mod *recipe.Module) []promise {
	const lib = "lib/" + layout.HostArch + "/"
	plain := slices.DeleteFunc(slices.Clone(mod.Libs), func(n string) bool { return strings.HasPrefix(n, "$(") })
	return []promise{
		{"dbd", mod.DBDs, "dbd/*", func(n string) []string { return []string{"dbd/" + n} }},
		{"library", plain, lib + "*", func(n string) []string {
			return []string{lib + "lib" + n + ".so", lib + "lib" + n + ".a"}
		}},
		{"file", mod.Files, "*", func(n string) []string { return []string{n} }},
	}
}

// promised refuses a module that did not build what its file promises to an
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
			faults.Addf(
				mod.File, mod.Lines[name], "correct the name; it has "+list(built), "%s has built no %s %s", mod.Name,
				p.kind, name,
			)
		}
	}
	if err := faults.Err(); err != nil || len(mod.DBDs) == 0 {
		return err
	}
	return b.checkDBDs(ctx, mod, c)
}

// dbdScript prints the database definition files that folders hold, each after a
// line "@dbd NAME".
//
//go:embed dbds.sh
var dbdScript string

// checkDBDs refuses database definition files that include, or have device
// support for, what an IOC with this module would not have. c has built it.
func (b Builder) checkDBDs(ctx context.Context, mod *recipe.Module, c *dagger.Container) error {
	var before []string
	for _, name := range b.Tree.Closure(mod.Name) {
		if name != mod.Name {
			before = append(before, b.Tree.Modules[name].DBDs...)
		}
	}
	out, err := c.File(builtDBDs).Contents(ctx)
	if err != nil {
		return fmt.Errorf("reading the dbds of %s: %w", mod.Name, engine.Explain(err))
	}
	return dbdFaults(mod, before, readDBDs(out))
}

// dbdFaults refuses what a module's dbds lack.
func dbdFaults(mod *recipe.Module, before []string, all map[string]upstream.DBD) error {
	var faults diag.Faults
	for _, lack := range upstream.Lacks(mod.DBDs, before, all) {
		switch {
		case lack.Include != "":
			faults.Addf(mod.File, mod.Lines[lack.DBD], "add the module that has it to needs",
				"%s of %s includes %s, which neither it nor what it needs has", lack.DBD, mod.Name, lack.Include)
		case len(lack.Definers) > 0:
			faults.Addf(
				mod.File, mod.Lines[lack.DBD],
				"put "+strings.Join(lack.Definers, " or ")+", or what includes it, before it",
				"%s of %s has device support for the record type %s, which none of dbds defines", lack.DBD, mod.Name,
				lack.RecordType,
			)
		}
	}
	return faults.Err()
}

// readDBDs reads what dbdScript prints; of two files with one name the last
// counts, which is the module's own.
func readDBDs(text string) map[string]upstream.DBD {
	all := map[string]upstream.DBD{}
	for _, part := range strings.Split("\n"+text, "\n@dbd ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		all[name] = upstream.ReadDBD(body)
	}
	return all
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
