package ledger

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Find returns the namespace that a beamline was promoted to. It asks the
// cluster, because a rollback at night must not depend on somebody's clone.
// Where the cluster does not let us ask, and where nothing was promoted yet, it
// is the beamline's name. Two namespaces are an error of kind diag.Invalid.
func Find(ctx context.Context, access cluster.Access, beamline string) (string, error) {
	n, err := cluster.Open(access, beamline, metav1.NamespaceAll)
	if err != nil {
		return "", err
	}
	list, err := n.Client.CoreV1().
		ConfigMaps(metav1.NamespaceAll).
		List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelBeamline + "=" + beamline})
	if apierrors.IsForbidden(err) {
		return beamline, nil
	}
	if err != nil {
		return "", cluster.Broken("looking for the namespace of "+beamline, err)
	}
	var found []string
	for _, cm := range list.Items {
		if cm.Name == name {
			found = append(found, cm.Namespace)
		}
	}
	switch len(found) {
	case 0:
		return beamline, nil
	case 1:
		return found[0], nil
	}
	return "", &diag.Error{Kind: diag.Invalid, Doing: "looking for the namespace of", Asset: beamline,
		Err: fmt.Errorf("it was promoted to %s", strings.Join(found, " and ")), Fix: "say which with --namespace"}
}
