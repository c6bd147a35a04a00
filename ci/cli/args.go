package cli

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// argument is one positional argument of a command line.
type argument struct {
	what    string // with its article: "a beamline"
	example string // where the repository has no better one: "bl01t"
	// choices returns what could stand there, the likeliest first, from the
	// repository; before holds the arguments in front of it. May be nil.
	choices func(a *app, before []string) []string
	optional,
	repeated bool
}

// The arguments that several verbs take.
var (
	tagArg      = argument{what: "a tag", example: "bl01t/2026.11.1", choices: tagChoices}
	lockedArg   = argument{what: "a generic IOC or a beamline", example: "ioc-simstage", choices: lockedChoices}
	assetArg    = argument{what: "an asset", example: "bl01t", choices: assetChoices}
	beamlineArg = argument{what: "a beamline", example: "bl01t", choices: beamlineChoices}
	instanceArg = argument{what: "an IOC instance", example: "bl01t-mo-ioc-01", choices: instanceChoices}
	pvArg       = argument{what: "a PV", example: "BL01T-MO-IOC-01:HEARTBEAT"}
	fileArg     = argument{what: "a file", example: "policy.yaml"}
	approvalArg = argument{what: "an approval", example: "K7QXJ2AB"}
	versionArg  = argument{what: "a version", example: "2026.11.1", choices: versionChoices}
)

// orNone returns the argument for verbs that can do without it.
func (g argument) orNone() argument {
	g.optional = true
	return g
}

// orMore returns the argument for verbs that take any number of it.
func (g argument) orMore() argument {
	g.optional, g.repeated = true, true
	return g
}

// takes lets a command refuse other arguments than these, and complete them.
func (a *app) takes(cmd *cobra.Command, list ...argument) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if len(given) < len(list) && !list[len(given)].optional {
			return usage(cmd, list[len(given)].missing(a, given))
		}
		if len(given) > len(list) && (len(list) == 0 || !list[len(list)-1].repeated) {
			return usage(cmd, fmt.Errorf("%q is one argument too many", given[len(list)]))
		}
		return nil
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
		next := len(given)
		if len(list) > 0 && list[len(list)-1].repeated {
			next = min(next, len(list)-1)
		}
		if next >= len(list) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if list[next].choices == nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return list[next].choices(a, given), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// group lets a command that only holds others refuse what is none of them.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if len(given) == 0 {
			return cmd.Help()
		}
		fix := "see " + cmd.CommandPath() + " --help"
		cmd.SuggestionsMinimumDistance = 2
		if near := cmd.SuggestionsFor(given[0]); len(near) > 0 {
			fix = "did you mean " + cmd.CommandPath() + " " + strings.Join(near, " or ") + "?"
		}
		return &diag.Error{Kind: diag.Invalid, Doing: "reading the command line", Fix: fix,
			Err: fmt.Errorf("there is no command %q", given[0])}
	}
	return cmd
}

// missing returns the error of a command line without the argument: it names
// what could stand there.
func (g argument) missing(a *app, before []string) error {
	var choices []string
	if g.choices != nil {
		choices = g.choices(a, before)
	}
	if len(choices) == 0 {
		choices = []string{g.example}
	}
	more := ""
	if len(choices) > 5 {
		choices, more = choices[:5], ", …"
	}
	return fmt.Errorf("name %s: %s%s", g.what, strings.Join(choices, ", "), more)
}

// headFiles returns the tree at HEAD; nil without one.
func (a *app) headFiles() fs.FS {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return nil
	}
	commit, err := repo.Head()
	if err != nil {
		return nil
	}
	files, err := repo.At(commit)
	if err != nil {
		return nil
	}
	return files
}

func beamlineChoices(a *app, _ []string) []string {
	files := a.headFiles()
	if files == nil {
		return nil
	}
	names, err := beamline.Names(files)
	if err != nil {
		return nil
	}
	return texts(names)
}

// texts returns names as plain texts.
func texts(names []asset.Name) (list []string) {
	for _, name := range names {
		list = append(list, string(name))
	}
	return list
}

func instanceChoices(a *app, before []string) (names []string) {
	files := a.headFiles()
	if files == nil {
		return nil
	}
	folders, err := fs.ReadDir(files, "beamlines/"+before[0]+"/iocs")
	if err != nil {
		return nil
	}
	for _, folder := range folders {
		names = append(names, folder.Name())
	}
	return names
}

func assetChoices(a *app, _ []string) []string {
	files := a.headFiles()
	if files == nil {
		return nil
	}
	assets, err := plan.Assets(files)
	if err != nil {
		return nil
	}
	return texts(slices.Sorted(maps.Keys(assets)))
}

func lockedChoices(a *app, _ []string) []string { return a.assetsOf(asset.Image, asset.Beamline) }

// assetsOf returns the assets of some kinds at HEAD, sorted.
func (a *app) assetsOf(kinds ...asset.Kind) (names []string) {
	files := a.headFiles()
	if files == nil {
		return nil
	}
	assets, err := plan.Assets(files)
	if err != nil {
		return nil
	}
	for name, kind := range assets {
		if slices.Contains(kinds, kind) {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names
}

// tagChoices returns the repository's tags, the newest first.
func tagChoices(a *app, _ []string) (names []string) {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return nil
	}
	history, err := repo.History()
	if err != nil {
		return nil
	}
	for _, tag := range slices.Backward(history) {
		names = append(names, tag.Name)
	}
	return names
}

// versionChoices returns the versions that the asset before it was tagged with,
// the newest first.
func versionChoices(a *app, before []string) (versions []string) {
	for _, tag := range tagChoices(a, nil) {
		if v, ok := strings.CutPrefix(tag, before[0]+"/"); ok {
			versions = append(versions, v)
		}
	}
	return versions
}
