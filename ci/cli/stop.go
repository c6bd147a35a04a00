package cli

import (
	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newStop is `tagline stop`.
func newStop(a *app) *cobra.Command {
	o := &operation{}
	cmd := a.takes(&cobra.Command{
		Use:   "stop BEAMLINE [INSTANCE]...",
		Short: "Stop IOCs until they are started again",
		Long: "Stops IOCs and waits until they have ended. They stay stopped through promotions,\n" +
			"rollbacks and restarts of their nodes, until tagline start. Without an instance, all\n" +
			"IOCs of the beamline are stopped.",
		Example: "  tagline stop bl01t bl01t-mo-ioc-01 --reason \"motor is being replaced\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.operate(cmd.Context(), o, "stopped", given, operate.Stop)
		},
	}, beamlineArg, instanceArg.orMore())
	o.flags(cmd)
	return cmd
}
