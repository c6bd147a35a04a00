package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/step"
)

const (
	lookEvery = 500 * time.Millisecond
	// patience is how long an instance may be failing without a break before
	// the wait for it is given up: a registry or a device may be late once.
	patience = 20 * time.Second
)

// Wait returns when every named instance is ready. It ends early when one of
// them fails for good, else with ctx; the error then joins a *Trouble for each
// instance that is not ready (when one failed for good: for those that are
// failing).
func (n *Namespace) Wait(ctx context.Context, instances []string) error {
	said, failing := map[string]string{}, map[string]time.Time{}
	for {
		states, _, err := n.States(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		var late, hopeless []State
		for _, name := range instances {
			s, ok := states[name]
			if !ok {
				s = State{Instance: name, Doing: "it has no Deployment of this name"}
			}
			if said[name] != s.Doing {
				said[name] = s.Doing
				step.Say(ctx, name, s.Doing)
			}
			if s.Ready {
				delete(failing, name)
				continue
			}
			late = append(late, s)
			if !s.Failing {
				delete(failing, name)
				continue
			}
			if failing[name].IsZero() {
				failing[name] = time.Now()
			}
			if time.Since(failing[name]) >= patience {
				hopeless = append(hopeless, s)
			}
		}
		switch {
		case err == nil && len(late) == 0:
			return nil
		case len(hopeless) > 0:
			return n.troubles(ctx, hopeless)
		}
		select {
		case <-ctx.Done():
			return n.troubles(ctx, late)
		case <-time.After(lookEvery):
		}
	}
}

// Gone returns when none of the named pods is left: an IOC that is to stop must
// have let go of its device and its PV names before another takes them.
func (n *Namespace) Gone(ctx context.Context, pods []string) error {
	for {
		there, err := n.client.CoreV1().Pods(n.Name).List(ctx, metav1.ListOptions{})
		if err != nil && ctx.Err() == nil {
			return n.broken("listing the pods of namespace "+n.Name, err)
		}
		var left []string
		for _, p := range there.Items {
			if slices.Contains(pods, p.Name) {
				left = append(left, p.Name)
			}
		}
		if err == nil && len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for pods to stop: still there when time ran out: %s", strings.Join(left, ", "))
		case <-time.After(lookEvery):
		}
	}
}

// troubles gathers what the cluster knows about instances that are not ready.
// It has a little time of its own: ctx is often over by then.
func (n *Namespace) troubles(ctx context.Context, states []State) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var errs []error
	for _, s := range states {
		errs = append(errs, n.Trouble(ctx, s, fmt.Errorf("not ready: %s", s.Doing)))
	}
	return errors.Join(errs...)
}
