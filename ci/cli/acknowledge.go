package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newAcknowledge is `tagline acknowledge`.
func newAcknowledge(a *app) *cobra.Command {
	o, until, withdraw := &operation{}, time.Duration(0), false
	cmd := a.takes(&cobra.Command{
		Use:   "acknowledge BEAMLINE INSTANCE...",
		Short: "Say that somebody knows of an IOC's trouble",
		Long: "Writes down who knows what is wrong with IOCs, why nothing needs to be done, and\n" +
			"until when. They stay in sight with their state, after those of which nobody knows,\n" +
			"and their alerts are quiet. It holds for what is wrong now: it ends at its time, when\n" +
			"the IOC is well, and when something else is wrong with it or it ends once more.",
		Example: "  tagline acknowledge bl01t bl01t-mo-ioc-01 --until 8h --reason \"cable is ordered\"\n" +
			"  tagline acknowledge bl01t bl01t-mo-ioc-01 --withdraw --reason \"the cable is here\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			did, work := "acknowledged", func(ctx context.Context, order operate.Order) error {
				return operate.Acknowledge(ctx, order, until)
			}
			if withdraw {
				if cmd.Flags().Changed("until") {
					return usage(cmd, errors.New("--withdraw ends an acknowledgement now: leave out --until"))
				}
				did, work = "withdrew the acknowledgement of", operate.Withdraw
			}
			return a.operate(cmd.Context(), o, did, given, work)
		},
	}, beamlineArg, instanceArg, instanceArg.orMore())
	o.flags(cmd)
	cmd.Flags().DurationVar(&until, "until", 0, "how long it holds, 168h at most; must be given")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "end the acknowledgement instead")
	return cmd
}
