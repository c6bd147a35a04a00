package cli

import (
	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newRestart is `tagline restart`.
func newRestart(a *app) *cobra.Command {
	o := &operation{}
	cmd := a.takes(&cobra.Command{
		Use:   "restart BEAMLINE [INSTANCE]...",
		Short: "Restart IOCs",
		Long: "Ends IOCs politely, and waits until the new ones are ready. Without an instance,\n" +
			"all IOCs of the beamline are restarted.",
		Example: "  tagline restart bl01t bl01t-mo-ioc-01 --reason \"lost its device\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.operate(cmd.Context(), o, "restarted", given, operate.Restart)
		},
	}, beamlineArg, instanceArg.orMore())
	o.flags(cmd)
	return cmd
}
