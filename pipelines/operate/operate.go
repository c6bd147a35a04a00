// Package operate holds what people do to a running beamline beside promoting
// and rolling back: stop, start, restart, move and remove IOCs, each under the
// beamline's lock, and acknowledge their troubles. All of it is written into the
// beamline's history. None needs a registry.
package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Order is one thing that a person wants done to IOCs of a beamline.
type Order struct {
	Cluster   *cluster.Namespace
	Instances []string // all of the release where it is empty
	Reason    string   // why, for the history; never empty
	Holder    string   // names this run to others who wait for the beamline
	Timeout   time.Duration
}

// sideBySide is how many IOCs are changed at once.
const sideBySide = 8

// locked runs work on the order's instances under the beamline's lock, and writes
// the history: an entry for each instance, or one for the whole beamline.
func (o Order) locked(
	ctx context.Context, did string, work func(ctx context.Context, o Order, l *ledger.Ledger) error,
) error {
	if err := o.reasoned(did); err != nil {
		return err
	}
	if _, err := ledger.Known(ctx, o.Cluster); err != nil {
		return err
	}
	return ledger.Locked(ctx, o.Cluster, o.Holder, func(ctx, held context.Context, n *cluster.Namespace) error {
		o.Cluster = n
		l, err := ledger.Read(ctx, n)
		if err != nil {
			return err
		}
		whole := len(o.Instances) == 0
		if o.Instances, err = choose(n.Beamline, l, o.Instances); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, o.Timeout)
		defer cancel()
		err = work(limited, o, l)
		o.remember(held, did, whole, err)
		return err
	})
}

// reasoned returns an error of kind diag.Invalid where no reason is given.
func (o Order) reasoned(did string) error {
	if strings.TrimSpace(o.Reason) != "" {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: did + " of", Asset: o.Cluster.Beamline, Err: errors.New("no reason is given"),
		Fix: "say why with --reason: whoever is on shift next reads it",
	}
}

// remember writes the history, and tells the policy's receivers. Neither changes what
// was done.
func (o Order) remember(ctx context.Context, did string, whole bool, failed error) {
	instances := o.Instances
	if whole {
		instances = []string{""}
	}
	var deeds []events.Deed
	for _, instance := range instances {
		e := ledger.Entry{Time: time.Now().UTC(), By: o.Holder, Did: did, Instance: instance, Reason: o.Reason}
		if failed != nil {
			e.Failed = failed.Error()
		}
		deeds = append(deeds, events.Deed{Entry: e})
	}
	events.Write(ctx, o.Cluster, deeds...)
}

// choose returns the named instances of the release that runs, or all of them.
func choose(beamline string, l *ledger.Ledger, named []string) ([]string, error) {
	var all []string
	if now := l.Current(); now != nil {
		for _, inst := range now.Record.Instances {
			all = append(all, inst.Name)
		}
	}
	for _, name := range named {
		if !slices.Contains(all, name) {
			return nil, unknown(beamline, name, all)
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	return all, nil
}

// unknown is the error of an IOC that is none of the beamline's, with those there are.
func unknown(beamline, name string, all []string) error {
	fix := "name one of: " + strings.Join(all, ", ")
	if len(all) == 0 {
		fix = "its release has none at all: see tagline status " + beamline
	}
	return &diag.Error{Kind: diag.Invalid, Doing: "looking for", Asset: name,
		Err: fmt.Errorf("%s has no such IOC", beamline), Fix: fix}
}

// Stop stops IOCs and returns when their pods are gone, but for those whose node is. They
// stay stopped through promotions, rollbacks and restarts of their nodes, until Start.
func Stop(ctx context.Context, o Order) error {
	return o.locked(ctx, "stop", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		note := &ledger.Note{By: o.Holder, Since: time.Now().UTC(), Reason: o.Reason}
		if err := o.setStopped(ctx, l, note); err != nil {
			return err
		}
		states, _, err := pods.States(ctx, o.Cluster)
		if err != nil {
			return err
		}
		if err := o.scale(ctx, 0); err != nil {
			return err
		}
		return o.ended(ctx, states)
	})
}

// setStopped writes into the ledger that the IOCs are stopped, and why; nil is
// that they run.
func (o Order) setStopped(ctx context.Context, l *ledger.Ledger, note *ledger.Note) error {
	for _, name := range o.Instances {
		l.SetStopped(name, note)
		l.Keep(name)
	}
	return l.Save(ctx, o.Cluster)
}

// Start starts IOCs that were stopped and returns when they are ready. One that
// runs is left alone.
func Start(ctx context.Context, o Order) error {
	return o.locked(ctx, "start", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		if err := o.setStopped(ctx, l, nil); err != nil {
			return err
		}
		if err := o.scale(ctx, 1); err != nil {
			return err
		}
		return pods.Wait(ctx, o.Cluster, o.Instances)
	})
}

// Restart replaces the pods of IOCs and returns when the new ones are ready. The
// error is of kind diag.Refused when one is stopped, or its node is gone or does not answer.
func Restart(ctx context.Context, o Order) error {
	return o.locked(ctx, "restart", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		states, _, err := pods.States(ctx, o.Cluster)
		if err != nil {
			return err
		}
		for _, name := range o.Instances {
			if err := o.restarts(l.Overrides[name], states[name], name); err != nil {
				return err
			}
		}
		for _, name := range o.Instances {
			pod := states[name].Pod
			if pod == "" {
				continue
			}
			err := o.Cluster.Client.CoreV1().Pods(o.Cluster.Name).Delete(ctx, pod, metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) { // one that has just ended by itself
				return cluster.Broken("stopping pod "+pod, err)
			}
		}
		if err := o.ended(ctx, states); err != nil {
			return err
		}
		return pods.Wait(ctx, o.Cluster, o.Instances)
	})
}

// restarts returns an error of kind diag.Refused where an IOC can't be restarted.
func (o Order) restarts(set ledger.Override, s pods.State, name string) error {
	refused := func(why error, fix string) error {
		return &diag.Error{Kind: diag.Refused, Doing: "restarting", Asset: name, Err: why, Fix: fix}
	}
	target := o.Cluster.Beamline + " " + name
	switch {
	case set.Stopped != nil:
		return refused(
			fmt.Errorf("it was stopped by %s", set.Stopped),
			"start it: tagline start "+target,
		)
	case s.IsAway():
		return refused(errors.New(s.Doing), "where "+s.Node+" is off for certain, run it elsewhere: tagline move "+
			target+" --node NODE --node-is-off")
	}
	return nil
}

// scale sets the number of pods that each Deployment has: 0 or 1.
func (o Order) scale(ctx context.Context, replicas int) error {
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	return step.Each(ctx, sideBySide, o.Instances, func(ctx context.Context, name string) error {
		_, err := o.Cluster.Client.AppsV1().Deployments(o.Cluster.Name).
			Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		if err != nil {
			return cluster.Broken("scaling "+name, err)
		}
		return nil
	})
}

// ended returns when the pods of instances are gone. That of a node that is gone ends when
// the node is back, for which nobody waits; of one that does not answer it may do so too.
func (o Order) ended(ctx context.Context, states map[string]pods.State) error {
	var sure, doubtful []string
	for _, name := range o.Instances {
		switch s := states[name]; {
		case s.Lost != "":
			step.Say(ctx, name, "is not waited for: "+s.Doing)
		case s.Silent != "":
			doubtful = append(doubtful, s.Pod)
		case s.Pod != "":
			sure = append(sure, s.Pod)
		}
	}
	if err := pods.Gone(ctx, o.Cluster, sure); err != nil {
		return err
	}
	return pods.GoneSoon(ctx, o.Cluster, doubtful)
}
