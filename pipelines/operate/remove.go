package operate

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Remove takes IOCs, or the whole beamline where none is named, out of the
// cluster, and returns when they have stopped, but for those whose node is gone. Their autosave claims stay unless
// claims is set; the history stays. A beamline that is removed may be promoted to
// another namespace.
func Remove(ctx context.Context, o Order, claims bool) error {
	whole := len(o.Instances) == 0
	return o.locked(ctx, "remove", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		if err := unfinished(o.Cluster.Beamline, l); err != nil {
			return err
		}
		states, _, err := pods.States(ctx, o.Cluster)
		if err != nil {
			return err
		}
		err = step.Each(ctx, sideBySide, o.Instances, func(ctx context.Context, name string) error {
			return step.Run(
				ctx, "removing "+name, func(ctx context.Context) error { return helm.Remove(ctx, o.Cluster, name) },
			)
		})
		if err != nil {
			return err
		}
		if err := o.ended(ctx, states); err != nil {
			return err
		}
		if claims {
			if err := o.dropClaims(ctx); err != nil {
				return err
			}
		}
		o.forget(l)
		o.dismiss(ctx, l)
		if whole {
			return l.Delete(ctx, o.Cluster)
		}
		return l.Save(ctx, o.Cluster)
	})
}

// unfinished refuses to remove from a beamline that a killed promotion left half
// way: what it had begun to start is in no release yet, and would stay behind.
func unfinished(beamline string, l *ledger.Ledger) error {
	if l.Underway == nil {
		return nil
	}
	return &diag.Error{
		Kind: diag.Refused, Doing: "removing from", Asset: beamline,
		Err: fmt.Errorf("a promotion to %s began and has not ended", l.Underway.Version),
		Fix: "run tagline rollback " + beamline + " to put the beamline back, then remove",
	}
}

// forget takes the instances out of the release that runs, so that they are not
// missing from it.
func (o Order) forget(l *ledger.Ledger) {
	now := l.Current()
	now.Record.Instances = slices.DeleteFunc(now.Record.Instances, func(i record.Instance) bool {
		return slices.Contains(o.Instances, i.Name)
	})
	for _, name := range o.Instances {
		l.Override(name, ledger.Override{})
	}
}

// dismiss forgets what was acknowledged of IOCs that are no longer in the ledger. It may
// fail without harm: an acknowledgement holds for an IOC that is there.
func (o Order) dismiss(ctx context.Context, l *ledger.Ledger) {
	left, err := choose(o.Cluster.Beamline, l, nil)
	if err == nil {
		err = ledger.KeepAcknowledged(ctx, o.Cluster, left, time.Now())
	}
	if err != nil {
		step.Say(ctx, "forgetting what was acknowledged", err.Error())
	}
}

// dropClaims deletes the autosave claims of the instances, as the library chart
// names them.
func (o Order) dropClaims(ctx context.Context) error {
	for _, name := range o.Instances {
		err := o.Cluster.Client.CoreV1().PersistentVolumeClaims(o.Cluster.Name).Delete(
			ctx, name+"-autosave", metav1.DeleteOptions{},
		)
		if err != nil && !apierrors.IsNotFound(err) {
			return cluster.Broken("deleting the claim of "+name, err)
		}
	}
	return nil
}
