package ledger

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Reached is a beamline that a context of a kubeconfig reaches, or a context that
// did not answer.
type Reached struct {
	Context   string
	Namespace *cluster.Namespace // nil when Err is set
	Err       error
}

// reachWithin bounds the question which beamlines a cluster has.
const reachWithin = 20 * time.Second

// Reach returns the beamlines that the contexts of a kubeconfig reach, each once,
// in the order of the contexts' names. Where access names a context, it is the
// only one. The error is of kind diag.Invalid when the kubeconfig cannot be read;
// a cluster that does not answer is one of what is returned.
func Reach(ctx context.Context, access cluster.Access) ([]Reached, error) {
	contexts, err := access.Contexts()
	if err != nil {
		return nil, err
	}
	byContext := make([][]Reached, len(contexts))
	places := make([]int, len(contexts))
	for i := range places {
		places[i] = i
	}
	_ = step.Each(ctx, 8, places, func(ctx context.Context, i int) error {
		one := access
		one.Context = contexts[i]
		byContext[i] = reach(ctx, one)
		return nil
	})
	var all []Reached
	seen := map[string]bool{} // contexts often name one cluster several times
	for _, found := range byContext {
		for _, r := range found {
			if r.Err == nil {
				key := r.Namespace.Config.Host + " " + r.Namespace.Name
				if seen[key] {
					continue
				}
				seen[key] = true
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// reach returns the beamlines of one context. Whoever may not look in all
// namespaces sees the one that the context names.
func reach(ctx context.Context, access cluster.Access) []Reached {
	failed := func(err error) []Reached { return []Reached{{Context: access.Context, Err: err}} }
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	n, err := cluster.Open(access, "", metav1.NamespaceAll)
	if err != nil {
		return failed(err)
	}
	places, err := Places(ctx, n)
	if apierrors.IsForbidden(err) {
		places, err = PlacesIn(ctx, n, access.Namespace())
	}
	if err != nil {
		return failed(cluster.Broken("looking for beamlines", err))
	}
	var all []Reached
	for _, p := range places {
		n, err := cluster.Open(access, p.Beamline, p.Namespace)
		if err != nil {
			return failed(err)
		}
		all = append(all, Reached{Context: access.Context, Namespace: n})
	}
	return all
}
