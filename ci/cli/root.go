// Package cli is the tagline command: one file per verb. It translates flags
// and environment into calls of the library and results into text; it has no
// rules of its own.
package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Streams are where a command reads and writes: results to Out, progress and errors to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// app holds what every verb shares.
type app struct {
	Streams
	env    func(string) string
	output string // "text" or "json"; a verb may accept more
	repo   string // folder of the git repository

	progress *progress // of the steps under way; nil before
}

// Main runs one command line and returns its exit status: 0, or a diag.Kind.
func Main(ctx context.Context, s Streams, env func(string) string, args []string) int {
	a := &app{Streams: s, env: env}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	a.complain(err)
	return diag.ExitStatus(err)
}

func (a *app) root() *cobra.Command {
	root := group(&cobra.Command{
		Use:   "tagline",
		Short: "Take a git tag to a beamline",
		Long: "Tagline builds EPICS IOCs as container images from a git tag, tests and publishes\n" +
			"them, and promotes them to a beamline's Kubernetes cluster.",
		Example: "  tagline up\n" +
			"  tagline release bl01t/2026.11.1\n" +
			"  tagline promote bl01t 2026.11.1\n" +
			"  tagline status bl01t",
		Version:       thisBuild().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Before a beamline is changed: a result that can't be shown would come too late.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.shows(cmd) },
	})
	root.PersistentFlags().StringVarP(&a.output, "output", "o", "text",
		"form of the result on stdout: text or json; of plan also matrix")
	root.PersistentFlags().StringVarP(&a.repo, "repo", "C", ".", "folder of the git repository")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(cmd, err)
	})
	for _, verb := range verbs {
		root.AddCommand(verb(a))
	}
	root.AddCommand(newDemo(a)) // it runs the others, so it is none of the list
	return root
}

// verbs are all commands, in the order of a release's life.
var verbs = []func(*app) *cobra.Command{
	newVersion, newUp, newDown, newEnv, newServe,
	newInit, newNew, newModule, newTag, newLock, newGenerate, newPlan, newChart, newCheck, newKey, newDoctor,
	newRelease, newGitHubRelease, newRecord, newVerify, newDiff, newRender,
	newPolicy, newGate, newApprove, newApprovals, newRevoke,
	newPromote, newRollback, newStatus, newVersions, newHistory, newPage, newFind, newLogs, newConsole, newShell,
	newStop, newStart, newRestart, newMove, newRemove, newAcknowledge,
}

// forms is the annotation of a command with the forms that its result has. Those
// without it have text and json.
const forms = "forms"

// only returns the annotations of a command whose result has these forms.
func only(list ...string) map[string]string { return map[string]string{forms: strings.Join(list, " ")} }

// shows refuses a form of output that the result of a command does not have.
func (a *app) shows(cmd *cobra.Command) error {
	has := strings.Fields(cmp.Or(cmd.Annotations[forms], "text json"))
	if slices.Contains(has, a.output) {
		return nil
	}
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: "reading --output",
		Err:   fmt.Errorf("%q is no form of this result", a.output),
		Fix:   "use " + strings.Join(has, " or "),
	}
}

// print writes a result to stdout: v as JSON, or the text that the function writes.
func (a *app) print(v any, text func(w io.Writer) error) error {
	if a.output == "json" {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	return text(plain{a.Out})
}

// complain writes every fault of err to stderr, a line each.
func (a *app) complain(err error) {
	for _, e := range diag.All(err) {
		if errors.Is(e, context.Canceled) {
			fmt.Fprintln(a.Err, "tagline: interrupted; run the same command again to go on")
			continue
		}
		fmt.Fprintln(plain{a.Err}, "tagline:", e)
	}
}

// usage returns the error of a command line that cannot be read.
func usage(cmd *cobra.Command, err error) error {
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: "reading the command line",
		Err:   err,
		Fix:   "see " + cmd.CommandPath() + " --help",
	}
}
