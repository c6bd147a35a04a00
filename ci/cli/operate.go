package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
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
	if err != nil {
		return err
	}
	done := operated{Beamline: given[0], Did: did, Instances: given[1:]}
	return a.print(done, func(w io.Writer) error {
		what := cmp.Or(strings.Join(done.Instances, " "), "all IOCs")
		_, err := fmt.Fprintf(w, "%s: %s %s\n", done.Beamline, done.Did, what)
		return err
	})
}

// operated is what was done to IOCs.
type operated struct {
	Beamline  string   `json:"beamline"`
	Did       string   `json:"did"`       // in the past: "stopped"
	Instances []string `json:"instances"` // as they were named; empty for all
}
