package cli

import (
	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newStart is `tagline start`.
func newStart(a *app) *cobra.Command {
	o := &operation{}
	cmd := a.takes(&cobra.Command{
		Use:   "start BEAMLINE [INSTANCE]...",
		Short: "Start IOCs that were stopped",
		Long: "Starts IOCs that tagline stop stopped, and waits until each is ready. Without an\n" +
			"instance, all IOCs of the beamline are started.",
		Example: "  tagline start bl01t bl01t-mo-ioc-01 --reason \"motor is back\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.operate(cmd.Context(), o, "started", given, operate.Start)
		},
	}, beamlineArg, instanceArg.orMore())
	o.flags(cmd)
	return cmd
}
