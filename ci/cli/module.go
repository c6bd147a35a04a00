package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// newModule is `tagline module`.
func newModule(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:     "module",
		Short:   "Describe a support module that nobody described yet",
		Example: "  tagline module add https://github.com/epics-modules/autosave R6-0",
	})
	cmd.AddCommand(newModuleAdd(a), newModuleImport(a))
	return cmd
}

// moduleSchema is the URL of the schema of a support module's file.
func moduleSchema() string {
	return scaffold.Repository{Version: thisBuild().ref()}.Schemas() + "/module.schema.json"
}

// newModuleAdd is `tagline module add`.
func newModuleAdd(a *app) *cobra.Command {
	s := &site{}
	w := release.NewModule{Schema: moduleSchema()}
	cmd := a.takes(&cobra.Command{
		Use:   "add URL REF",
		Short: "Find out what a support module needs and gives, and write its file",
		Long: "Reads the source of a support module, builds it, looks at what came out, boots an IOC\n" +
			"with it, and writes generic-iocs/support/<name>.yaml with the evidence behind each\n" +
			"line. What it can't know it asks on a terminal, and marks with TODO elsewhere. What a\n" +
			"flag says goes before what is found. Nothing is overwritten.",
		Example: "  tagline module add https://github.com/epics-modules/autosave R6-0\n" +
			"  tagline module add https://github.com/epics-modules/asyn R4-45 --from epics-base \\\n" +
			"    --config 'TIRPC = YES' --package libtirpc-dev --package rpcsvc-proto",
		RunE: func(cmd *cobra.Command, given []string) error {
			w.URL, w.Ref = given[0], given[1]
			return a.addModule(cmd.Context(), s, w)
		},
	}, argument{what: "the URL of a git repository", example: "https://github.com/epics-modules/autosave"},
		argument{what: "a git ref", example: "R6-0"})
	s.buildFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&w.From, "from", "", "released image that it is tried on, \"epics-base 7.0.8.1r1.0\", or the name "+
		"of an image of the tree (default what the generic IOCs of the tree are built on)")
	flags.StringVar(&w.Name, "name", "", "what it is called (default the last part of the URL)")
	flags.StringVar(&w.Macro, "macro", "", "what other modules call it in configure/RELEASE")
	flags.StringVar(&w.Licence, "licence", "", "its licence as an SPDX expression")
	flags.StringArrayVar(&w.Submodules, "submodule", nil, "git submodule that is wanted; again for more")
	flags.StringArrayVar(&w.Needs, "need", nil,
		"module that it is built with, as asyn, or asyn=R4-45 where what it is tried on has none; again for more")
	flags.StringArrayVar(&w.Packages, "package", nil, "Debian package that it is built with; again for more")
	flags.StringArrayVar(&w.Config, "config", nil, "line for its configure/CONFIG_SITE.local; again for more")
	flags.StringArrayVar(&w.Skip, "skip", nil, "folder of it that is not built; again for more")
	flags.StringArrayVar(&w.Without, "without", nil,
		"module, package, dbd or library that is found and does not belong to it; again for more")
	return cmd
}

// addModule writes the file of a support module into the working copy.
func (a *app) addModule(ctx context.Context, s *site, w release.NewModule) error {
	root, err := a.workTree()
	if err != nil {
		return err
	}
	w.Ask = a.moduleAsker(ctx)
	if err := w.Check(os.DirFS(root)); err != nil {
		return err // before an engine is asked for
	}
	var made scaffold.Files // the text of one file
	err = a.builder(ctx, s, func(ctx context.Context, b release.Builder) (err error) {
		made, err = b.NewModule(ctx, os.DirFS(root), w)
		return err
	})
	if err != nil {
		for _, text := range made {
			fmt.Fprint(a.Err, "# Not written, as it was not proven:\n", text)
		}
		return err
	}
	if err := a.writeNew(root, made); err != nil {
		return err
	}
	for _, file := range made.Names() {
		for line := range strings.Lines(made[file]) {
			if todo, ok := strings.CutPrefix(line, "# TODO "); ok {
				fmt.Fprintf(a.Err, "%s: %s", file, todo)
			}
		}
	}
	return nil
}

// moduleAsker returns what asks a person about a module, while no progress is drawn;
// nil where stdin is no terminal.
func (a *app) moduleAsker(ctx context.Context) func(newmodule.Question) (string, error) {
	ask := a.asker(ctx)
	if ask == nil {
		return nil
	}
	return func(q newmodule.Question) (answer string, err error) {
		a.progress.aside(func() { answer, err = ask(q.Of, strings.TrimPrefix(q.String(), q.Of+": ")) })
		return answer, err
	}
}
