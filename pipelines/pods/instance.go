package pods

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Instance returns the state of one instance of the beamline. The error is of
// kind diag.Invalid, and names the instances there are, when there is none of
// this name, and of kind diag.Broken when it has no pod.
func Instance(ctx context.Context, n *cluster.Namespace, name string) (State, error) {
	states, err := Instances(ctx, n, []string{name})
	if err != nil {
		return State{}, err
	}
	if s := states[0]; s.Pod == "" {
		return State{}, &diag.Error{Kind: diag.Broken, Doing: "looking for", Asset: name,
			Err: errors.New("it has no pod: " + s.Doing), Fix: "see tagline status " + n.Beamline}
	}
	return states[0], nil
}

// Instances returns the states of the named instances, or of all where none is
// named, sorted by name. The error is of kind diag.Invalid, and names the
// instances there are, when one is not there.
func Instances(ctx context.Context, n *cluster.Namespace, names []string) ([]State, error) {
	states, _, err := States(ctx, n)
	if err != nil {
		return nil, err
	}
	all := slices.Sorted(maps.Keys(states))
	if len(all) == 0 {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "looking for the IOCs of", Asset: n.Beamline,
			Err: errors.New("namespace " + n.Name + " has none"), Fix: "see tagline history " + n.Beamline}
	}
	if len(names) == 0 {
		names = all
	}
	var picked []State
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		s, ok := states[name]
		if !ok {
			return nil, &diag.Error{Kind: diag.Invalid, Doing: "looking for", Asset: name,
				Err: fmt.Errorf("%s has no such IOC in namespace %s", n.Beamline, n.Name),
				Fix: "name one of: " + strings.Join(all, ", ")}
		}
		picked = append(picked, s)
	}
	return picked, nil
}
