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
// not get ready, all are put back and the error is of kind diag.Undone.
func Move(ctx context.Context, o Order, node string) error {
	return o.locked(ctx, "move", func(ctx context.Context, o Order, l *ledger.Ledger) error {
		if err := there(ctx, o.Cluster, node); err != nil {
			return err
		}
		if err := pods.Pull(ctx, o.Cluster, imagesOn(l, o.Instances, node)); err != nil {
			return err
		}
		former := map[string]ledger.Override{}
		for _, name := range o.Instances {
			former[name] = l.Overrides[name]
		}
		err := o.place(ctx, l, node)
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

// place sets the node of each instance, makes its Deployment so, and waits. The first
// that can't be made so ends it.
func (o Order) place(ctx context.Context, l *ledger.Ledger, node string) error {
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

// there returns an error of kind diag.Invalid, with the nodes there are, when no
// node of this name is ready. Whoever may not look at nodes finds out by moving.
func there(ctx context.Context, n *cluster.Namespace, node string) error {
	if node == "" {
		return nil
	}
	list, err := n.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return cluster.Broken("listing the nodes", err)
	}
	var ready []string
	for _, known := range list.Items {
		if isReady(known) {
			ready = append(ready, known.Name)
		}
	}
	if slices.Contains(ready, node) {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "looking for node", Asset: node, Err: errors.New("no node of this name is ready"),
		Fix: "name one of: " + strings.Join(ready, ", "),
	}
}

func isReady(node corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
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
