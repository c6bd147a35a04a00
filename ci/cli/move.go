package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newMove is `tagline move`.
func newMove(a *app) *cobra.Command {
	o, node, off := &operation{}, "", false
	cmd := a.takes(&cobra.Command{
		Use:   "move BEAMLINE INSTANCE...",
		Short: "Run IOCs on another node",
		Long: "Makes IOCs run on a node, through promotions too, and waits until each is ready\n" +
			"there. Without --node, their charts decide again. When one does not get ready, all\n" +
			"go back where they were (exit status 4). IOCs whose node is gone are moved when you\n" +
			"say that it is off: otherwise they might run twice.",
		Example: "  tagline move bl01t bl01t-mo-ioc-01 --node ws012 --reason \"ws011 is being serviced\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.operate(cmd.Context(), o, "moved", given, func(ctx context.Context, order operate.Order) error {
				return operate.Move(ctx, order, node, off)
			})
		},
	}, beamlineArg, instanceArg, instanceArg.orMore())
	o.flags(cmd)
	cmd.Flags().StringVar(&node, "node", "", "where they are to run (default: where the chart says)")
	cmd.Flags().BoolVar(&off, "node-is-off", false, "the node that they leave is gone, and nothing runs there any more")
	return cmd
}
