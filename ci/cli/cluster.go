package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// beamlineCluster says where a beamline runs.
type beamlineCluster struct {
	access    cluster.Access
	namespace string
}

// flags adds the flags that say where a beamline runs.
func (b *beamlineCluster) flags(cmd *cobra.Command) {
	b.accessFlags(cmd)
	cmd.Flags().StringVarP(&b.namespace, "namespace", "n", "",
		"namespace of the beamline (default: where it was promoted to)")
}

func (b *beamlineCluster) accessFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.access.Kubeconfig, "kubeconfig", "",
		"kubeconfig of the beamline's cluster (default $KUBECONFIG, that of tagline up, or ~/.kube/config)")
	cmd.Flags().StringVar(&b.access.Context, "context", "", "context of the kubeconfig (default its current one)")
}

// openCluster opens the namespace that a beamline runs in.
func (a *app) openCluster(ctx context.Context, b *beamlineCluster, beamline string) (*cluster.Namespace, error) {
	klog.SetLogger(logr.Discard()) // Kubernetes' libraries would write among our own lines
	if err := a.kubeconfig(b); err != nil {
		return nil, err
	}
	n, err := ledger.Open(ctx, b.access, beamline, b.namespace)
	if err != nil {
		return nil, err
	}
	b.namespace = n.Name // where it is looked for once
	return n, nil
}

// openKnown opens the namespace of a beamline that runs in the cluster. The error
// names the beamlines there are when it does not.
func (a *app) openKnown(
	ctx context.Context, b *beamlineCluster, beamline string,
) (*cluster.Namespace, *ledger.Ledger, error) {
	n, err := a.openCluster(ctx, b, beamline)
	if err != nil {
		return nil, nil, err
	}
	l, err := ledger.Known(ctx, n)
	return n, l, err
}

// kubeconfig chooses the kubeconfig: the flag's, $KUBECONFIG, that of tagline up, or the user's own.
func (a *app) kubeconfig(b *beamlineCluster) error {
	for _, place := range []string{b.access.Kubeconfig, a.env("KUBECONFIG"), a.up().Kubeconfig} {
		if place != "" {
			b.access.Kubeconfig = place
			return nil
		}
	}
	if home := a.env("HOME"); home != "" { // else it would be one of whatever folder this is
		own := filepath.Join(home, ".kube", "config")
		if _, err := os.Stat(own); err == nil {
			b.access.Kubeconfig = own
			return nil
		}
	}
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: "looking for the cluster",
		Err:   errors.New("no kubeconfig is named, and nothing is up"),
		Fix:   "give --kubeconfig or KUBECONFIG, or run tagline up",
	}
}

// holder names this run to others that wait for the beamline's lock.
func (a *app) holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	name := "somebody"
	if me, err := user.Current(); err == nil {
		name = me.Username
	}
	if run := a.env("GITHUB_RUN_ID"); run != "" {
		name = "GitHub run " + run
	}
	return fmt.Sprintf("%s on %s, process %d", name, host, os.Getpid())
}

func timeoutFlag(cmd *cobra.Command, timeout *time.Duration) {
	cmd.Flags().DurationVar(timeout, "timeout", promote.Patience,
		"until every IOC must live; putting back has as long again, and two minutes at least")
}
