package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Place is where a beamline runs.
type Place struct{ Beamline, Namespace string }

// Places returns the beamlines of the whole cluster that have a ledger, sorted by
// name. The error is Kubernetes's own when n's user may not list ConfigMaps in
// all namespaces.
func Places(ctx context.Context, n *cluster.Namespace) ([]Place, error) {
	return PlacesIn(ctx, n, metav1.NamespaceAll)
}

// PlacesIn returns the beamline of one namespace, as Places does.
func PlacesIn(ctx context.Context, n *cluster.Namespace, namespace string) ([]Place, error) {
	list, err := n.Client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: cluster.LabelBeamline, FieldSelector: "metadata.name=" + Name,
	})
	if err != nil {
		return nil, err
	}
	var places []Place
	for _, cm := range list.Items {
		if cm.Name == Name { // a stand-in for the cluster may not know field selectors
			places = append(places, Place{Beamline: cm.Labels[cluster.LabelBeamline], Namespace: cm.Namespace})
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return strings.Compare(a.Beamline+" "+a.Namespace, b.Beamline+" "+b.Namespace)
	})
	return places, nil
}

// namespacesOf returns the namespaces in which a beamline has a ledger.
func namespacesOf(beamline string, places []Place) (namespaces []string) {
	for _, p := range places {
		if p.Beamline == beamline {
			namespaces = append(namespaces, p.Namespace)
		}
	}
	return namespaces
}

// Find returns the namespace that a beamline was promoted to. It asks the
// cluster, because a rollback at night must not depend on somebody's clone.
// Where the cluster does not let us ask, and where nothing was promoted yet, it
// is the beamline's name. Two namespaces are an error of kind diag.Invalid.
func Find(ctx context.Context, access cluster.Access, beamline string) (string, error) {
	n, err := cluster.Open(access, beamline, metav1.NamespaceAll)
	if err != nil {
		return "", err
	}
	places, err := Places(ctx, n)
	if apierrors.IsForbidden(err) {
		return beamline, nil
	}
	if err != nil {
		return "", cluster.Broken("looking for the namespace of "+beamline, err)
	}
	found := namespacesOf(beamline, places)
	switch len(found) {
	case 0:
		return beamline, nil
	case 1:
		return found[0], nil
	}
	return "", &diag.Error{Kind: diag.Invalid, Doing: "looking for the namespace of", Asset: beamline,
		Err: fmt.Errorf("it was promoted to %s", strings.Join(found, " and ")), Fix: "say which with --namespace"}
}

// Open opens the namespace of a beamline: the one that is named, or where none is, the one
// that Find finds.
func Open(ctx context.Context, access cluster.Access, beamline, namespace string) (*cluster.Namespace, error) {
	if namespace == "" {
		var err error
		if namespace, err = Find(ctx, access, beamline); err != nil {
			return nil, err
		}
	}
	return cluster.Open(access, beamline, namespace)
}

// Elsewhere returns an error of kind diag.Refused when the beamline runs in
// another namespace than n: two copies of an IOC would serve the same PVs. Where
// the cluster does not let us ask, it is nil.
func Elsewhere(ctx context.Context, n *cluster.Namespace) error {
	places, err := Places(ctx, n)
	if apierrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return cluster.Broken("looking for "+n.Beamline+" in other namespaces", err)
	}
	for _, other := range namespacesOf(n.Beamline, places) {
		if other != n.Name {
			return &diag.Error{Kind: diag.Refused, Doing: "opening namespace " + n.Name + " for", Asset: n.Beamline,
				Err: fmt.Errorf("it still runs in namespace %s", other),
				Fix: fmt.Sprintf("remove it there first: tagline remove %s --namespace %s", n.Beamline, other)}
		}
	}
	return nil
}

// knownWithin bounds the question whether a beamline is there at all.
const knownWithin = 15 * time.Second

// Known returns the ledger of a beamline that was promoted to the namespace. The
// error is of kind diag.Invalid when none was, and names the beamlines there are.
func Known(ctx context.Context, n *cluster.Namespace) (*Ledger, error) {
	ctx, cancel := context.WithTimeout(ctx, knownWithin)
	defer cancel()
	l, err := Read(ctx, n)
	if err != nil || l.seen != nil {
		return l, err
	}
	return nil, unknown(ctx, n)
}

func unknown(ctx context.Context, n *cluster.Namespace) error {
	places, listing := Places(ctx, n)
	var names []string
	for _, p := range places {
		names = append(names, p.Beamline)
	}
	fix := "name one of: " + strings.Join(slices.Compact(names), ", ")
	switch {
	case listing != nil:
		fix = "say which namespace it is in with --namespace"
	case len(names) == 0:
		fix = "this cluster has no beamline: see that the kubeconfig and its context name the right one"
	}
	if len(n.Others) > 0 {
		fix += "; or the context of another cluster with --context: " + strings.Join(n.Others, ", ")
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "looking for beamline", Asset: n.Beamline,
		Err: errors.New("nothing was ever promoted to namespace " + n.Name), Fix: fix,
	}
}
