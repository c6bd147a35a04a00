package pods

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// Healthy returns, for each image digest that pods in the namespace run, since
// when one of them has been ready without a break. A pod that is not ready counts
// for nothing. An instance whose image has its config folder as a layer counts for
// its generic IOC too.
func Healthy(ctx context.Context, n *cluster.Namespace) (map[asset.Digest]time.Time, error) {
	list, err := n.Client.CoreV1().Pods(n.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, cluster.Broken("listing the pods of namespace "+n.Name, err)
	}
	since := map[asset.Digest]time.Time{}
	for _, p := range list.Items {
		ready := readySince(&p)
		if ready.IsZero() || p.DeletionTimestamp != nil {
			continue
		}
		for _, c := range p.Spec.Containers {
			digest := asset.Ref(c.Image).Digest()
			if known, ok := since[digest]; digest != "" && (!ok || ready.Before(known)) {
				since[digest] = ready
			}
		}
	}
	return since, addGenericIOCs(ctx, n, since)
}

// addGenericIOCs adds the images that those of instances are built on, from the
// release that runs in the namespace.
func addGenericIOCs(ctx context.Context, n *cluster.Namespace, since map[asset.Digest]time.Time) error {
	l, err := ledger.Read(ctx, n)
	if err != nil || l.Current() == nil {
		return err
	}
	rec := l.Current().Record
	for _, i := range rec.Instances {
		ready, there := since[i.Image.Digest()]
		generic := rec.GenericIOC(i).Digest()
		if known, ok := since[generic]; there && (!ok || ready.Before(known)) {
			since[generic] = ready
		}
	}
	return nil
}

// readySince returns since when a pod is ready; zero when it is not.
func readySince(p *corev1.Pod) time.Time {
	if ready := condition(p, corev1.PodReady); ready.Status == corev1.ConditionTrue {
		return ready.LastTransitionTime.Time
	}
	return time.Time{}
}
