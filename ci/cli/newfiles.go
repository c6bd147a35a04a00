package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/check"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// newFiles is a command that writes new files.
type newFiles struct {
	use, short string
	write      writer
	needed     []string // flags that it can't do without; a new repository needs its registry too
	more       []string // flags that may be left out
	args       []argument
}

// writer returns new files, and the first tag that releases them. It is zero
// where nothing of them is released alone.
type writer func(b *beginning, given []string) (scaffold.Files, asset.Tag, error)

// beginning is what flags say of new files.
type beginning struct {
	scaffold.Repository
	from, image, library string // pins, as people write them
	git, ref             string // of a support module's source
	instance             string // the first of a beamline
	identities           []string
	root                 string // folder of the repository that is added to
}

// question is a flag of beginning, and what is asked for it on a terminal.
type question struct {
	answer *string
	text   string
}

// questions returns the flags by name.
func (b *beginning) questions() map[string]question {
	return map[string]question{
		"registry": {&b.Registry, "registry and path that will hold the releases: ghcr.io/some-org"},
		"from":     {&b.from, "released image that it is built on: \"epics-base 7.0.8.1r1.0\""},
		"image":    {&b.image, "released generic IOC that it runs: \"ioc-simstage 1.0.0\""},
		"git":      {&b.git, "URL of the git repository with its source: https://github.com/epics-modules/asyn"},
		"ref":      {&b.ref, "git ref of its source: R4-45"},
		"instance": {&b.instance, "name of the first instance (default NAME-ea-ioc-01)"},
		"library":  {&b.library, "released library chart: \"ioc-lib 1.0.0\" (default the one that Tagline carries)"},
	}
}

// begins returns the command that writes a whole repository.
func (a *app) begins(n newFiles) *cobra.Command {
	n.needed = append([]string{"registry"}, n.needed...)
	return a.writes(n, func(b *beginning, given []string) error {
		if err := scaffold.Beginnable(a.repo); err != nil {
			return err
		}
		if _, err := registry.New(b.Registry, registry.Options{}); err != nil {
			return err
		}
		made, tag, err := n.write(b, given)
		if err != nil {
			return err
		}
		for _, item := range b.identities {
			assets, identity := policy.Scoped(item)
			b.Signers = append(b.Signers, policy.Signer{Assets: assets, Identity: identity})
		}
		common, err := b.Common(tag)
		if err != nil {
			return err
		}
		maps.Copy(made, common)
		return a.writeNew(a.repo, made)
	})
}

// adds returns the command that writes files into a repository that is there.
func (a *app) adds(n newFiles) *cobra.Command {
	return a.writes(n, func(b *beginning, given []string) (err error) {
		if b.root, err = a.workTree(); err != nil {
			return err
		}
		made, _, err := n.write(b, given)
		if err != nil {
			return err
		}
		return a.writeNew(b.root, made)
	})
}

// writes returns a command that does work with the answers to its questions.
func (a *app) writes(n newFiles, work func(b *beginning, given []string) error) *cobra.Command {
	b := &beginning{Repository: scaffold.Repository{Version: thisBuild().ref()}}
	cmd := a.takes(&cobra.Command{
		Use: n.use, Short: n.short,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.askFor(cmd.Context(), b, n.needed); err != nil {
				return err
			}
			return work(b, given)
		},
	}, n.args...)
	for _, name := range slices.Concat(n.needed, n.more) {
		if name == "identity" {
			cmd.Flags().StringArrayVar(&b.identities, name, nil,
				"workflow that signed what it is built on or runs, or name=workflow for the assets of that name only "+
					"(ioc-*=…); again for more: https://github.com/some-org/base/.github/workflows/release.yml")
			continue
		}
		q := b.questions()[name]
		cmd.Flags().StringVar(q.answer, name, "", q.text)
	}
	return cmd
}

// askFor asks for what no flag said; where stdin is no terminal it refuses.
func (a *app) askFor(ctx context.Context, b *beginning, names []string) error {
	ask := a.asker(ctx)
	for _, name := range names {
		q := b.questions()[name]
		if *q.answer == "" && ask != nil {
			var err error
			if *q.answer, err = ask(name, q.text); err != nil {
				return err
			}
		}
		if *q.answer == "" {
			return &diag.Error{
				Kind: diag.Invalid, Doing: "reading the command line", Err: fmt.Errorf("--%s is missing", name),
				Fix: "give the " + q.text,
			}
		}
	}
	return nil
}

// asker returns what asks a person for something, by its name; nil where stdin is no
// terminal.
func (a *app) asker(ctx context.Context) func(name, text string) (string, error) {
	file, isFile := a.In.(*os.File)
	if !isFile || !isatty.IsTerminal(file.Fd()) {
		return nil
	}
	lines := bufio.NewReader(a.stdin(ctx))
	return func(name, text string) (string, error) {
		fmt.Fprintf(a.Err, "%s\n%s: ", text, name)
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.Trim(line, "\" \t\r\n"), nil
	}
}

// writeNew writes files below root, none of which may be there, and says what the
// tree that comes of it still lacks.
func (a *app) writeNew(root string, made scaffold.Files) error {
	if err := made.Write(root); err != nil {
		return err
	}
	names := made.Names()
	if err := a.print(names, func(w io.Writer) error { return writeLines(w, names) }); err != nil {
		return err
	}
	a.lacks(root)
	return nil
}

// lacks shows what the tree of a working copy lacks: as a rule, that what is named is
// not locked yet.
func (a *app) lacks(root string) {
	if _, err := check.Alone(os.DirFS(root)); err != nil {
		a.complain(err)
	}
}
