package image

import (
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

//go:embed skipped.mk
var skippedMakefile string

// configured returns the source of a support module as img builds it: patched,
// with its configuration and the places of its needs, and without the folders
// that its recipe skips.
func (b Builder) configured(ctx context.Context, img *recipe.Image, mod *recipe.Module,
	source *dagger.Directory) (*dagger.Directory, error) {
	source, err := b.patched(ctx, mod, source)
	if err != nil {
		return nil, err
	}
	if source, err = skipped(ctx, mod, source); err != nil {
		return nil, err
	}
	if mod.Name == layout.BaseModule {
		return b.baseSource(ctx, img, mod, source)
	}
	const release = "configure/RELEASE"
	has, err := source.Glob(ctx, release)
	if err != nil {
		return nil, engine.Explain(err)
	}
	var text string
	if len(has) > 0 {
		if text, err = source.File(release).Contents(ctx); err != nil {
			return nil, engine.Explain(err)
		}
	}
	files := b.configureFiles(img, mod, text)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		source = source.WithNewFile("configure/"+name, files[name])
	}
	return source, nil
}

// configureFiles returns the files of configure/ that say how a module is built,
// by name. release is the text of its configure/RELEASE, empty where it has none.
func (b Builder) configureFiles(img *recipe.Image, mod *recipe.Module, release string) map[string]string {
	files := map[string]string{}
	site := site(img, append([]string{"CHECK_RELEASE = NO", "BUILD_IOCS = NO"}, mod.Config...)...)
	parsed := upstream.ReadMakefile(release)
	paths := b.release(mod, parsed)
	// Modules differ in which of these they read; some ship the second of a
	// pair with the paths of where they were written.
	for _, suffix := range []string{"local", layout.HostArch + ".Common"} {
		files["RELEASE."+suffix], files["CONFIG_SITE."+suffix] = paths, site
	}
	overrides := parsed.Overrides(layout.HostArch)
	for _, name := range overrides {
		files[name] = paths
	}
	local := func(name string) bool { return strings.Contains(name, "local") }
	if release != "" && !slices.ContainsFunc(overrides, local) {
		files["RELEASE"] = strings.TrimSuffix(release, "\n") + "\n-include $(TOP)/configure/RELEASE.local\n"
	}
	return files
}

// release returns what a module's configure/RELEASE.local says: where its needs
// are, and that it has none of the other modules that its own RELEASE names.
func (b Builder) release(mod *recipe.Module, upstreams upstream.Makefile) string {
	needs := map[string]string{} // paths by macro
	for _, need := range b.Tree.Closure(mod.Name) {
		if need != mod.Name && need != layout.BaseModule {
			needs[b.Tree.Modules[need].Macro] = layout.Module(need)
		}
	}
	var w strings.Builder
	fmt.Fprintf(&w, "SUPPORT = %s\n", layout.Support)
	for _, n := range upstreams.Neighbours() {
		if !n.Commented && needs[n.Macro] == "" {
			fmt.Fprintf(&w, "%s =\n", n.Macro)
		}
	}
	for _, need := range b.Tree.Closure(mod.Name) {
		if need != mod.Name && need != layout.BaseModule {
			fmt.Fprintf(&w, "%s = %s\n", b.Tree.Modules[need].Macro, layout.Module(need))
		}
	}
	fmt.Fprintf(&w, "EPICS_BASE = %s\n", layout.Base)
	return w.String()
}

// patched applies a module's patches to its source.
func (b Builder) patched(ctx context.Context, mod *recipe.Module, source *dagger.Directory) (*dagger.Directory, error) {
	for _, name := range mod.Patches {
		text, err := fs.ReadFile(b.Files, recipe.PatchPath(name))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", recipe.PatchPath(name), err)
		}
		const folder = "/src"
		source, err = debian.Tools(b.Client.Container().From(b.base), "ca-certificates", "git").
			WithNewFile("/patches/"+name, string(text)).
			WithDirectory(folder, source).
			WithWorkdir(folder).
			WithExec([]string{"git", "apply", "--whitespace=nowarn", "/patches/" + name}).
			Directory(folder).Sync(ctx)
		if _, failed := engine.Failed(err); failed {
			return nil, &diag.Error{
				Kind: diag.Invalid, File: mod.File, Line: mod.Lines[name],
				Err: fmt.Errorf("%s does not apply to %s: %w", recipe.PatchPath(name), mod.Name, engine.Explain(err)),
				Fix: "make the patch anew, or take it out",
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return source, nil
}

// skipped takes the folders that a module's recipe skips out of its build.
func skipped(ctx context.Context, mod *recipe.Module, source *dagger.Directory) (*dagger.Directory, error) {
	var faults diag.Faults
	for _, folder := range mod.Skip {
		makefiles, err := source.Glob(ctx, folder+"/*akefile")
		if err != nil {
			return nil, engine.Explain(err)
		}
		if len(makefiles) == 0 {
			faults.Addf(mod.File, mod.Lines[folder], "correct the name, or take it out",
				"%s has no folder %s that is built", mod.Name, folder)
		}
		// make takes a GNUmakefile before a Makefile.
		source = source.WithNewFile(path.Join(folder, "GNUmakefile"), skippedMakefile)
	}
	return source, faults.Err()
}
