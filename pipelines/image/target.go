package image

import (
	"context"
	"fmt"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// site is what configure/CONFIG_SITE.local of a module or IOC of img says: the
// targets, then the module's own lines.
func site(img *recipe.Image, lines ...string) string {
	targets := "CROSS_COMPILER_TARGET_ARCHS = " + strings.Join(img.Targets, " ")
	return strings.Join(append([]string{targets}, lines...), "\n") + "\n"
}

// crossSite returns EPICS Base's settings for a target that Debian has a compiler
// for: where it is, and that Debian's readline is of the host. As in the file of
// upstream that this replaces, the target is linked statically.
func crossSite(target string) string {
	return "GNU_TARGET = " + recipe.CrossCompilers[target].Prefix + "\nGNU_DIR = /usr\nCOMMANDLINE_LIBRARY = EPICS\n" +
		"STATIC_BUILD = YES\n" +
		"SHARED_LIBRARIES = NO\n"
}

// baseSource returns EPICS Base's source as img builds it. Without targets and lines of
// its own it is as upstream has it, but for the tests.
func (b Builder) baseSource(
	ctx context.Context, img *recipe.Image, mod *recipe.Module, source *dagger.Directory,
) (*dagger.Directory, error) {
	const rules = "configure/RULES_DIRS"
	text, err := source.File(rules).Contents(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	source = source.WithNewFile(rules, noTests+text)
	if len(img.Targets)+len(mod.Config) > 0 {
		source = source.WithNewFile("configure/CONFIG_SITE.local", site(img, mod.Config...))
	}
	for _, t := range img.Targets {
		if !recipe.RTEMS(t) {
			source = source.WithNewFile("configure/os/CONFIG_SITE."+layout.HostArch+"."+t, crossSite(t))
		}
	}
	return source, nil
}

// compilers refuses targets of img that dev has no compiler for.
func (b Builder) compilers(ctx context.Context, img *recipe.Image, dev *dagger.Container) error {
	var faults diag.Faults
	for _, t := range img.Targets {
		if recipe.RTEMS(t) {
			tools, err := dev.EnvVariable(ctx, "RTEMS_BASE")
			if err != nil {
				return fmt.Errorf("looking for the tool chain of %s: %w", t, err)
			}
			if tools == "" {
				faults.Addf(
					img.File, img.Lines[t],
					"build the root of the hierarchy from a container image that has it and says where, in the environment variable RTEMS_BASE",
					"%s needs the tool chain of RTEMS, which Debian does not have", t,
				)
			}
			continue
		}
		compiler := recipe.CrossCompilers[t]
		found, err := dev.Exists(ctx, compiler.Program)
		if err != nil {
			return fmt.Errorf("looking for the compiler of %s: %w", t, err)
		}
		if !found {
			faults.Addf(
				img.File, img.Lines[t], "add "+compiler.Package+" to packages.build",
				"%s needs the compiler %s, which the developer image does not have", t, compiler.Program,
			)
		}
	}
	return faults.Err()
}
