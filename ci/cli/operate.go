package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// operation is what the verbs that change IOCs of a running beamline share.
type operation struct {
	beamlineCluster
	reason  string
	timeout time.Duration
}

func (o *operation) flags(cmd *cobra.Command) {
	o.beamlineCluster.flags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for the beamline's history; must be given")
	cmd.Flags().DurationVar(&o.timeout, "timeout", promote.Patience, "how long it may take")
}

// operate does something to IOCs of a beamline under its lock: given is the
// beamline and the instances, none of which stands for all of them.
func (a *app) operate(
	ctx context.Context, o *operation, did string, given []string, work func(context.Context, operate.Order) error,
) error {
	err := a.change(ctx, given[0], func(ctx context.Context) error {
		n, err := a.openCluster(ctx, &o.beamlineCluster, given[0])
		if err != nil {
			return err
		}
		return work(ctx, operate.Order{
			Cluster: n, Instances: given[1:], Reason: o.reason, Holder: a.holder(), Timeout: o.timeout,
		})
	})
	if err == nil && a.output == "text" {
		what := "all IOCs"
		if len(given) > 1 {
			what = fmt.Sprint(given[1:])
			what = what[1 : len(what)-1]
		}
		fmt.Fprintf(plain{a.Out}, "%s: %s %s\n", given[0], did, what)
	}
	return err
}
