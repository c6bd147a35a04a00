package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/links"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// newLogs is `tagline logs`.
func newLogs(a *app) *cobra.Command {
	b, o, grep := &beamlineCluster{}, pods.LogOptions{}, ""
	cmd := a.takes(&cobra.Command{
		Use:         "logs BEAMLINE [INSTANCE]...",
		Annotations: only("text"),
		Short:       "Show what IOCs wrote",
		Long: "Shows what IOCs wrote; without an instance, all IOCs of the beamline. Of several,\n" +
			"each line begins with its IOC. Where TAGLINE_LINKS has logs=ADDRESS, the site's archive\n" +
			"of what is older, it is named at the end.",
		Example: "  tagline logs bl01t bl01t-mo-ioc-01 --follow\n" +
			"  tagline logs bl01t --since 10m --grep 'error|fail'\n" +
			"  tagline logs bl01t bl01t-mo-ioc-01 --previous",
		RunE: func(cmd *cobra.Command, given []string) error {
			if grep != "" {
				var err error
				if o.Grep, err = regexp.Compile(grep); err != nil {
					return usage(cmd, err)
				}
			}
			archive, err := a.archive()
			if err != nil {
				return err
			}
			n, _, err := a.openKnown(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			states, err := pods.Instances(cmd.Context(), n, given[1:])
			if err != nil {
				return err
			}
			err = pods.Logs(cmd.Context(), n, states, o, a.logLines(states))
			if o.Follow && errors.Is(err, cmd.Context().Err()) {
				return nil // Ctrl-C is how following ends
			}
			for _, s := range states {
				if archive != nil {
					of := links.Of{Beamline: given[0], Namespace: n.Name, IOC: s.Instance, Node: s.Node, Pod: s.Pod}
					fmt.Fprintf(a.Err, "older lines of %s: %s\n", s.Instance, archive.For(of))
				}
			}
			return err
		},
	}, beamlineArg, instanceArg.orMore())
	b.flags(cmd)
	cmd.Flags().BoolVarP(&o.Follow, "follow", "f", false, "go on until Ctrl-C")
	cmd.Flags().BoolVarP(&o.Previous, "previous", "p", false, "of the IOC before its last restart")
	cmd.Flags().Int64Var(&o.Lines, "lines", 0, "the last lines only (default all)")
	cmd.Flags().DurationVar(&o.Since, "since", 0, "the newest lines only: 10m, 2h (default all)")
	cmd.Flags().StringVar(&grep, "grep", "", "only lines that match a regular expression")
	return cmd
}

// archive returns the link to the site's archive of logs; nil where there is none.
func (a *app) archive() (*links.Link, error) {
	all, err := a.links(nil)
	if i := slices.IndexFunc(all, func(l links.Link) bool { return l.Name == links.Logs }); i >= 0 {
		return &all[i], err
	}
	return nil, err
}

// colours tell IOCs apart on a terminal.
var colours = []int{36, 33, 32, 35, 34, 31}

// logLines returns what writes a line: alone for one IOC, after its name for
// several, in a colour for each on a terminal.
func (a *app) logLines(states []pods.State) func(instance, text string) {
	var mu sync.Mutex
	prefix := map[string]string{}
	for i, s := range states {
		switch {
		case len(states) == 1:
		case isTerminal(a.Out):
			prefix[s.Instance] = fmt.Sprintf("\x1b[%dm%s\x1b[0m ", colours[i%len(colours)], s.Instance)
		default:
			prefix[s.Instance] = s.Instance + " "
		}
	}
	return func(instance, text string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(a.Out, prefix[instance]+coloured(text))
	}
}
