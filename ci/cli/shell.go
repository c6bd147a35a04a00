package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// newShell is `tagline shell`.
func newShell(a *app) *cobra.Command {
	s, b, debug := &site{}, &beamlineCluster{}, false
	cmd := a.takes(&cobra.Command{
		Use:         "shell BEAMLINE INSTANCE",
		Annotations: only("text"),
		Short:       "Open bash in the container of a running IOC",
		Long: "Opens bash in the container of a running IOC. With --debug it is beside the IOC, in a\n" +
			"container of the generic IOC's developer image, with gdb, sources and compilers, that\n" +
			"sees the IOC's processes; the image is looked up in the registry and named by digest.",
		Example: "  tagline shell bl01t bl01t-mo-ioc-01\n  tagline shell bl01t bl01t-mo-ioc-01 --debug",
		RunE: func(cmd *cobra.Command, given []string) error {
			keyboard, err := a.keyboard("opening a shell in", given[1])
			if err != nil {
				return err
			}
			n, past, err := a.openKnown(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			state, err := pods.Instance(cmd.Context(), n, given[1])
			if err != nil {
				return err
			}
			image := ""
			if debug {
				if image, err = a.developer(cmd.Context(), s, past, given[1]); err != nil {
					return err
				}
			}
			fmt.Fprintf(a.Err, "A shell beside %s on %s. exit leaves it.\n", state.Instance, state.Node)
			return a.raw(cmd.Context(), keyboard, func(sizes remotecommand.TerminalSizeQueue) error {
				t := pods.Terminal{In: keyboard, Out: a.Out, Sizes: sizes}
				if debug {
					return pods.Debug(cmd.Context(), n, state, image, t)
				}
				return pods.Shell(cmd.Context(), n, state, t)
			})
		},
	}, beamlineArg, instanceArg)
	b.flags(cmd)
	s.flags(cmd)
	cmd.Flags().BoolVar(&debug, "debug", false, "beside the IOC, in the developer image")
	return cmd
}

// developer returns the developer image, by digest, of the generic IOC that an
// instance runs.
func (a *app) developer(ctx context.Context, s *site, past *ledger.Ledger, instance string) (string, error) {
	reg, err := a.openRegistry(ctx, s)
	if err != nil {
		return "", err
	}
	var runs *record.Record
	if now := past.Current(); now != nil {
		runs = &now.Record
	}
	image, err := lineage.Reader{Registry: reg}.Developer(ctx, runs, instance)
	return string(image), err
}
