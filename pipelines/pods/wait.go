package pods

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

const (
	lookEvery = 500 * time.Millisecond
	askEvery  = 10 * time.Second
	// patience is how long an instance may be failing without a break before
	// the wait ends: a registry or a device may be late once.
	patience = 20 * time.Second
)

// Wait returns when every named instance is ready. It ends early when one of
// them fails for good, else with ctx; the error then joins a *Trouble for each
// instance that is not ready (when one failed for good: for those that are
// failing). A cluster that does not answer for a while is waited for too.
func Wait(ctx context.Context, n *cluster.Namespace, instances []string) error {
	w := watch{shown: map[string]string{}, failing: map[string]time.Time{}}
	nodes := awaited{asked: time.Now()} // an IOC whose node was silent before is not waited for
	for {
		now, _, err := states(ctx, n, nodes.away)
		if err != nil {
			step.Say(ctx, "waiting", err.Error())
		} else if w.look(ctx, instances, now); len(w.late) == 0 {
			return nil
		}
		if len(w.hopeless) > 0 {
			return troubles(ctx, n, w.hopeless)
		}
		select {
		case <-ctx.Done():
			if len(w.late) == 0 {
				return err // it never answered
			}
			return troubles(ctx, n, w.late)
		case <-time.After(lookEvery):
		}
	}
}

// awaited are the nodes of IOCs that are waited for.
type awaited struct {
	asked  time.Time       // when those that may not be looked at were last asked for an answer
	silent map[string]bool // those that gave none then
}

// away finds the nodes that are gone, and now and then those that do not answer: waiting
// for an answer takes longer than looking.
func (a *awaited) away(ctx context.Context, n *cluster.Namespace, pods []corev1.Pod) (Away, error) {
	away, hidden, err := nodesGone(ctx, n, pods)
	switch {
	case err != nil:
		return away, err
	case len(hidden) == 0:
		a.silent = nil
	case time.Since(a.asked) >= askEvery:
		a.silent = silent(ctx, n, hidden)
		a.asked = time.Now()
	}
	away.Silent = a.silent
	return away, nil
}

// watch is what a wait has seen.
type watch struct {
	shown          map[string]string    // by instance: what it did when it was last looked at
	failing        map[string]time.Time // by instance: since when it has been failing
	late, hopeless []State              // at the last look
}

// look takes in the states of instances and shows what changed.
func (w *watch) look(ctx context.Context, instances []string, states map[string]State) {
	w.late, w.hopeless = nil, nil
	for _, name := range instances {
		s, ok := states[name]
		if !ok {
			s = State{Instance: name, Doing: "it has no Deployment of this name", Failing: true}
		}
		if w.shown[name] != s.Doing {
			w.shown[name] = s.Doing
			step.Say(ctx, name, s.Doing)
		}
		if !s.Ready {
			w.late = append(w.late, s)
		}
		if s.Ready || !s.Failing {
			delete(w.failing, name)
			continue
		}
		if w.failing[name].IsZero() {
			w.failing[name] = time.Now()
		}
		if time.Since(w.failing[name]) >= patience {
			w.hopeless = append(w.hopeless, s)
		}
	}
}

// Gone returns when none of the named pods is left. An IOC that stops must have
// released its device and its PV names before another takes them.
func Gone(ctx context.Context, n *cluster.Namespace, pods []string) error {
	left := pods
	for {
		there, err := n.Client.CoreV1().Pods(n.Name).List(ctx, metav1.ListOptions{})
		if err == nil {
			left = slices.DeleteFunc(slices.Clone(pods), func(pod string) bool {
				return !slices.ContainsFunc(there.Items, func(p corev1.Pod) bool { return p.Name == pod })
			})
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for pods to stop: still there when time ran out: %s", strings.Join(left, ", "))
		case <-time.After(lookEvery):
		}
	}
}

// lostWithin is how long a pod may take to stop that perhaps never does.
const lostWithin = 45 * time.Second

// GoneSoon is Gone for pods that may never end, as their node may be gone: it waits no
// longer than 45 s for them, and says which are left.
func GoneSoon(ctx context.Context, n *cluster.Namespace, pods []string) error {
	soon, cancel := context.WithTimeout(ctx, lostWithin)
	defer cancel()
	if err := Gone(soon, n, pods); err != nil && ctx.Err() == nil {
		step.Say(ctx, "stopping", "not waited for any longer, as their node may be gone: "+err.Error())
	}
	return ctx.Err()
}

// troubles returns what the cluster knows about instances that are not ready.
// It has ten seconds of its own, because ctx has often ended by then.
func troubles(ctx context.Context, n *cluster.Namespace, states []State) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var errs []error
	for _, s := range states {
		errs = append(errs, Explain(ctx, n, s, fmt.Errorf("not ready: %s", s.Doing)))
	}
	return errors.Join(errs...)
}
