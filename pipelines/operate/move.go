package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// Move makes IOCs run on a node, through promotions too, and returns when they
// are ready there. Where node is empty, their charts decide again. When one does
// not get ready, all are put back and the error is of kind diag.Undone. It is of kind
// diag.Refused where the node of one is gone, or does not answer, unless the person says, with off, that
// nothing runs there any more: two IOCs must never hold one device.
func Move(ctx context.Context, o Order, node string, off bool) error {
	return o.locked(ctx, "move", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		known, err := nodes(ctx, o.Cluster)
		if err == nil {
			err = there(known, node)
		}
		if err != nil {
			return err
		}
		lost, err := o.lost(ctx)
		if err != nil {
			return err
		}
		if len(lost) > 0 && !off {
			return &diag.Error{
				Kind: diag.Refused, Doing: "moving", Asset: lost[0].Instance, Err: errors.New(lost[0].Doing),
				Fix: "see that " + lost[0].Node + " is off, or cut off from what the IOC drives and serves, " +
					"and say so with --node-is-off",
			}
		}
		if err := pods.Pull(ctx, o.Cluster, imagesOn(l, o.Instances, node)); err != nil {
			return err
		}
		former := map[string]ledger.Override{}
		for _, name := range o.Instances {
			former[name] = l.Overrides[name]
		}
		err = o.place(ctx, l, node, lost)
		if err == nil {
			return nil
		}
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Timeout)
		defer cancel()
		if undoing := o.placeBack(back, l, former); undoing != nil {
			return fmt.Errorf("%w, and moving back: %w", err, undoing)
		}
		return &diag.Error{Kind: diag.Undone, Doing: "moving " + strings.Join(o.Instances, ", ") + " to node " + node,
			Err: errors.New(err.Error()), Fix: "they are back where they were; see what keeps them from that node"}
	})
}

// lost returns the states of the order's instances whose node is gone, or may be.
func (o Order) lost(ctx context.Context) (lost []pods.State, err error) {
	states, _, err := pods.States(ctx, o.Cluster)
	for _, name := range o.Instances {
		if s := states[name]; s.IsAway() {
			lost = append(lost, s)
		}
	}
	return lost, err
}

// place sets the node of each instance, makes its Deployment so, gives up the pods of
// lost, and waits. The first that can't be made so ends it.
func (o Order) place(ctx context.Context, l *ledger.Ledger, node string, lost []pods.State) error {
	for _, name := range o.Instances {
		was := l.Overrides[name]
		was.Node = node
		l.Override(name, was)
	}
	history, err := o.written(ctx, l)
	if err != nil {
		return err
	}
	for _, name := range o.Instances {
		if err := o.deploy(ctx, l, history, name); err != nil {
			return err
		}
	}
	// Not before: the cluster would start another from what it was.
	if err := pods.GiveUp(ctx, o.Cluster, lost); err != nil {
		return err
	}
	return pods.Wait(ctx, o.Cluster, o.running(l, o.Instances))
}

// placeBack undoes place as far as it can: one that can't be put back keeps no other
// from it.
func (o Order) placeBack(ctx context.Context, l *ledger.Ledger, former map[string]ledger.Override) error {
	for _, name := range o.Instances {
		was := l.Overrides[name]
		was.Node = former[name].Node
		l.Override(name, was)
	}
	history, err := o.written(ctx, l)
	if err != nil {
		return err
	}
	var errs []error
	var back []string
	for _, name := range o.Instances {
		if err := o.deploy(ctx, l, history, name); err != nil {
			errs = append(errs, err)
			continue
		}
		back = append(back, name)
	}
	return errors.Join(append(errs, pods.Wait(ctx, o.Cluster, o.running(l, back)))...)
}

// written saves the ledger, and returns what Helm has stored.
func (o Order) written(ctx context.Context, l *ledger.Ledger) (helm.History, error) {
	if err := l.Save(ctx, o.Cluster); err != nil {
		return nil, err
	}
	return helm.Stored(ctx, o.Cluster)
}

// deploy makes the Deployment of an instance what the ledger says.
func (o Order) deploy(ctx context.Context, l *ledger.Ledger, history helm.History, name string) error {
	if l.Overrides[name].Node == "" {
		if err := o.release(ctx, name); err != nil {
			return err
		}
	}
	last, _ := history.Latest(name)
	return helm.Restore(ctx, o.Cluster, name, last.Number, l.Overrides[name])
}

// running returns those of the instances that are not stopped on purpose.
func (o Order) running(l *ledger.Ledger, instances []string) (all []string) {
	for _, name := range instances {
		if l.Overrides[name].Stopped == nil {
			all = append(all, name)
		}
	}
	return all
}

// release lets the chart decide on the node again. Helm would leave alone what it
// did not set.
func (o Order) release(ctx context.Context, instance string) error {
	patch := []byte(`{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":null}}}}}`)
	_, err := o.Cluster.Client.AppsV1().Deployments(o.Cluster.Name).
		Patch(ctx, instance, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return cluster.Broken("freeing "+instance+" from its node", err)
	}
	return nil
}

// nodes returns the nodes of the cluster, none to whoever may not look at them.
func nodes(ctx context.Context, n *cluster.Namespace) ([]corev1.Node, error) {
	list, err := n.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, cluster.Broken("listing the nodes", err)
	}
	return list.Items, nil
}

// there returns an error of kind diag.Invalid, with the nodes there are, when no
// node of this name is ready. Whoever may not look at nodes finds out by moving.
func there(known []corev1.Node, node string) error {
	var ready []string
	for _, n := range known {
		if pods.Readiness(&n) == corev1.ConditionTrue {
			ready = append(ready, n.Name)
		}
	}
	if node == "" || known == nil || slices.Contains(ready, node) {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "looking for node", Asset: node, Err: errors.New("no node of this name is ready"),
		Fix: "name one of: " + strings.Join(ready, ", "),
	}
}

// imagesOn returns the images that a node needs to run instances.
func imagesOn(l *ledger.Ledger, instances []string, node string) (images []pods.Image) {
	for _, inst := range l.Current().Record.Instances {
		image := pods.Image{Node: node, Ref: string(inst.Image)}
		if node != "" && inst.Image != "" && slices.Contains(instances, inst.Name) && !slices.Contains(images, image) {
			images = append(images, image)
		}
	}
	return images
}
