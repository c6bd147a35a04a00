package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
)

// newRemove is `tagline remove`.
func newRemove(a *app) *cobra.Command {
	o, claims := &operation{}, false
	cmd := a.takes(&cobra.Command{
		Use:   "remove BEAMLINE [INSTANCE]...",
		Short: "Take IOCs, or a whole beamline, out of the cluster",
		Long: "Stops IOCs and takes them out of the cluster; without an instance, the whole\n" +
			"beamline. Autosave volumes stay unless --claims is given; the history stays. A\n" +
			"later release that has the instance brings it back: take it out of the beamline's\n" +
			"folder too.",
		Example: "  tagline remove bl01t bl01t-mo-ioc-09 --reason \"stage was taken down\"",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.operate(cmd.Context(), o, "removed", given, func(ctx context.Context, order operate.Order) error {
				return operate.Remove(ctx, order, claims)
			})
		},
	}, beamlineArg, instanceArg.orMore())
	o.flags(cmd)
	cmd.Flags().BoolVar(&claims, "claims", false, "delete the autosave volumes too")
	return cmd
}
