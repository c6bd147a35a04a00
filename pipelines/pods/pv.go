package pods

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/client-go/util/exec"

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
		return "", ErrEmpty
	}
	return value, nil
}

// ErrEmpty is the error of a PV that answered: with an empty text, or over pvAccess with a
// structure, of which ioc-ask prints nothing.
var ErrEmpty = errors.New("the answer was empty")

// severities are the alarm severities of EPICS, the worst last.
var severities = []string{"NO_ALARM", "MINOR", "MAJOR", "INVALID"}

// Worse reports whether one alarm severity is worse than another.
func Worse(a, b string) bool { return slices.Index(severities, a) > slices.Index(severities, b) }

// usage is the exit status of an ioc-ask that does not know what it is asked.
const usage = 2

// Severities asks the IOC of a pod for PVs, as ReadPV does, and returns by PV its
// alarm severity: "NO_ALARM", "MINOR", "MAJOR" or "INVALID". PVs that it does not
// serve are left out. An IOC that can't be asked is an error.
func Severities(
	ctx context.Context, n *cluster.Namespace, s State, protocol string, pvs []string,
) (map[string]string, error) {
	out, err := Exec(ctx, n, s, append([]string{layout.Ask, "--severity", protocol}, pvs...)...)
	var exit exec.CodeExitError
	switch {
	case errors.As(err, &exit) && exit.Code == usage:
		return nil, errors.New("its image is too old to tell alarm severities")
	case err != nil:
		return nil, err
	}
	return parseSeverities(out)
}

// parseSeverities reads what ioc-ask prints.
func parseSeverities(out string) (map[string]string, error) {
	found := map[string]string{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) != 2 || !slices.Contains(severities, words[1]) {
			return nil, fmt.Errorf("ioc-ask said %q, which is no alarm severity", strings.TrimSpace(line))
		}
		found[words[0]] = words[1]
	}
	return found, nil
}
