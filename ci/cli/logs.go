package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/pods"
)

// newLogs is `tagline logs`.
func newLogs(a *app) *cobra.Command {
	b, o := &beamlineCluster{}, pods.LogOptions{}
	cmd := &cobra.Command{
		Use:     "logs BEAMLINE INSTANCE",
		Short:   "Show what an IOC wrote",
		Example: "  tagline logs bl01t bl01t-mo-ioc-01 --follow\n  tagline logs bl01t bl01t-mo-ioc-01 --previous",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			s, err := pods.Instance(cmd.Context(), n, given[1])
			if err != nil {
				return err
			}
			err = pods.Logs(cmd.Context(), n, s, o, a.Out)
			if o.Follow && errors.Is(err, cmd.Context().Err()) {
				return nil // Ctrl-C is how following ends
			}
			return err
		},
	}
	b.flags(cmd)
	cmd.Flags().BoolVarP(&o.Follow, "follow", "f", false, "go on until Ctrl-C")
	cmd.Flags().BoolVarP(&o.Previous, "previous", "p", false, "of the IOC before its last restart")
	cmd.Flags().Int64Var(&o.Lines, "lines", 0, "the last lines only (default all)")
	return cmd
}
