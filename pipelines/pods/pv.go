package pods

import (
	"context"
	"errors"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/layout"
)

// ReadPV asks the IOC of a pod for a PV, over protocol "ca" or "pva", and returns
// its value as ioc-ask prints it. It is asked inside the pod, at the port and
// interface that it has chosen: no other IOC of the host can answer. An IOC that
// does not answer is an error.
func ReadPV(ctx context.Context, n *cluster.Namespace, s State, pv, protocol string) (string, error) {
	out, err := Exec(ctx, n, s, layout.Ask, "--value", protocol, pv)
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(out)
	if value == "" {
		return "", errors.New("the answer was empty")
	}
	return value, nil
}
