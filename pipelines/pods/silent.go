package pods

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// nodeAnswersWithin is how long a node may take to give a line of a log to the cluster.
const nodeAnswersWithin = 5 * time.Second

// silent returns the nodes, of one pod each, that do not answer the cluster.
func silent(ctx context.Context, n *cluster.Namespace, of []corev1.Pod) map[string]bool {
	answered := make([]bool, len(of))
	_ = step.EachIndex(ctx, len(of), len(of), func(ctx context.Context, i int) error {
		answered[i] = answers(ctx, n, &of[i])
		return nil
	})
	all := map[string]bool{}
	for i, p := range of {
		if !answered[i] && ctx.Err() == nil {
			all[p.Spec.NodeName] = true
		}
	}
	return all
}

// answers reports whether the node of a pod answers the cluster, which has to ask it for
// the last line of the pod's log. Who may look at a beamline may read logs, and whatever the
// node says to that it is there. It is true where nothing is known.
func answers(ctx context.Context, n *cluster.Namespace, p *corev1.Pod) bool {
	soon, cancel := context.WithTimeout(ctx, nodeAnswersWithin)
	defer cancel()
	last := int64(1)
	options := &corev1.PodLogOptions{TailLines: &last}
	if len(p.Spec.Containers) > 0 {
		options.Container = p.Spec.Containers[0].Name
	}
	line, err := n.Client.CoreV1().Pods(n.Name).GetLogs(p.Name, options).Stream(soon)
	switch {
	case err == nil:
		line.Close()
	case soon.Err() != nil:
		return ctx.Err() != nil
	}
	return !unreached(err)
}

// unreached reports whether an error is what an API server says that could not talk to a
// node: it repeats what it asked there, and what went wrong. A certificate that it does not
// like was shown by a node.
func unreached(err error) bool {
	var said apierrors.APIStatus
	if !errors.As(err, &said) || said.Status().Code != http.StatusInternalServerError {
		return false
	}
	message := said.Status().Message
	return strings.Contains(message, "/containerLogs/") && !strings.Contains(message, "x509:")
}
