package pods

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// Trouble is an instance that is not as it should be, with what the cluster
// knows about it.
type Trouble struct {
	Instance string
	Events   []string // warnings of the cluster about its pod, oldest first
	Log      []string // the last lines the IOC wrote
	Err      error
}

// Error returns one line; Evidence returns the rest.
func (t *Trouble) Error() string { return t.Instance + ": " + t.Err.Error() }

// Unwrap returns the cause.
func (t *Trouble) Unwrap() error { return t.Err }

// Evidence returns events and log as indented lines, empty when there are none.
func (t *Trouble) Evidence() string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		lines []string
	}{{"events of " + t.Instance, t.Events}, {"last log lines of " + t.Instance, t.Log}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(&b, "  %s:\n    %s\n", part.title, strings.Join(part.lines, "\n    "))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const (
	logLines   = 20
	eventLines = 5
)

// Explain asks the cluster for what it knows about an instance in state s. What
// cannot be read is left out: the trouble itself matters more.
func Explain(ctx context.Context, n *cluster.Namespace, s State, err error) *Trouble {
	t := &Trouble{Instance: s.Instance, Err: err}
	if s.Pod == "" {
		return t
	}
	t.Events = warnings(ctx, n, s.Pod)
	t.Log = lastLines(ctx, n, s, false)
	if len(t.Log) == 0 && s.Restarts > 0 {
		t.Log = lastLines(ctx, n, s, true)
	}
	return t
}

func warnings(ctx context.Context, n *cluster.Namespace, pod string) []string {
	lines, err := Events(ctx, n, pod, corev1.EventTypeWarning, eventLines)
	if err != nil {
		return nil
	}
	return lines
}

// Events returns the last events of a pod as lines, oldest first: at most so many,
// and of one type ("Warning", "Normal") or of both where it is empty.
func Events(ctx context.Context, n *cluster.Namespace, pod, kind string, most int) (lines []string, err error) {
	selector := fields.Set{"involvedObject.name": pod}
	if kind != "" {
		selector["type"] = kind
	}
	events, err := n.Client.CoreV1().Events(n.Name).List(ctx, metav1.ListOptions{FieldSelector: selector.String()})
	if err != nil {
		return nil, cluster.Broken("reading the events of "+pod, err)
	}
	slices.SortFunc(
		events.Items,
		func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) },
	)
	for _, e := range events.Items[max(0, len(events.Items)-most):] {
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf(" (%d times)", e.Count)
		}
		lines = append(lines, fmt.Sprintf("%s: %s%s", e.Reason, strings.TrimSpace(e.Message), times))
	}
	return lines, nil
}

func lastLines(ctx context.Context, n *cluster.Namespace, s State, previous bool) []string {
	tail := int64(logLines)
	text, err := n.Client.CoreV1().Pods(n.Name).GetLogs(s.Pod, &corev1.PodLogOptions{
		Container: s.Container, TailLines: &tail, Previous: previous,
	}).DoRaw(ctx)
	if err != nil || len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
}
