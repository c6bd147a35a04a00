// Package pods holds what the pod of an IOC instance does: its state, its log,
// its terminal, and commands run in it.
package pods

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// State is what one instance does now.
type State struct {
	Instance  string
	Pod       string // empty when it has none
	UID       string // of the pod: a new one means that the IOC was restarted
	Container string // of the pod, the one the IOC is in
	Template  string // a digest of what the Deployment's pods are made from: another one replaces the pod
	Node      string
	Lost      string // Node, where that is gone, so that nobody knows whether the IOC still runs there; else empty
	Silent    string // Node, where that does not answer the cluster and may be gone; else empty
	Image     string // of the pod's spec, by digest
	Ready     bool   // the IOC answers, and nothing older than what was asked for runs
	Restarts  int
	Beside    int       // restarts of the pod's other containers
	Ended     string    // how the IOC ended before its last restart: "exit status 1"; empty where it never did
	Since     time.Time // when the IOC was started; zero when it is not running
	Doing     string    // one phrase: "ready", "pulling its image", "ended 3 times, last with exit status 1"
	Failing   bool      // waiting alone will hardly make it ready

	Generation int64     // of the Deployment: it changes with what is asked for
	Turned     time.Time // when it last became ready, or ceased to be, as the Deployment knows; zero where it does not
}

// States returns the state of every Deployment in the namespace by its name,
// which is the instance's, and the names of pods that belong to none of them, or
// belonged until the cluster gave them up with their node.
func States(ctx context.Context, n *cluster.Namespace) (map[string]State, []string, error) {
	return states(ctx, n, NodesAway)
}

// states is States with nodes that are found by look.
func states(
	ctx context.Context, n *cluster.Namespace,
	look func(context.Context, *cluster.Namespace, []corev1.Pod) (Away, error),
) (map[string]State, []string, error) {
	deployments, err := n.Client.AppsV1().Deployments(n.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, cluster.Broken("listing what runs in namespace "+n.Name, err)
	}
	pods, err := n.Client.CoreV1().Pods(n.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, cluster.Broken("listing the pods of namespace "+n.Name, err)
	}
	away, err := look(ctx, n, pods.Items)
	if err != nil {
		return nil, nil, err
	}
	now, strays := Describe(deployments.Items, pods.Items, away)
	return now, strays, nil
}

// Describe returns what States does, of all Deployments and pods of a namespace, and of
// the nodes that are known to be away, beside those of which the pods tell.
func Describe(
	deployments []appsv1.Deployment, pods []corev1.Pod, known Away,
) (states map[string]State, strays []string) {
	away := Away{Gone: told(pods), Silent: known.Silent}
	maps.Copy(away.Gone, known.Gone)
	states, owned := map[string]State{}, map[string]bool{}
	for _, d := range deployments {
		own := ofTheIOC(podsOf(&d, pods), away.Gone)
		for _, p := range own {
			owned[p.Name] = true
		}
		states[d.Name] = describe(&d, own, away)
	}
	for _, p := range pods {
		if !owned[p.Name] && p.Labels[labelPull] == "" {
			strays = append(strays, p.Name)
		}
	}
	return states, strays
}

// podsOf returns a Deployment's pods, newest first.
func podsOf(d *appsv1.Deployment, all []corev1.Pod) (mine []corev1.Pod) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil
	}
	for _, p := range all {
		byReplicaSet := slices.ContainsFunc(
			p.OwnerReferences,
			func(o metav1.OwnerReference) bool { return strings.HasPrefix(o.Name, d.Name+"-") },
		)
		if byReplicaSet && selector.Matches(labels.Set(p.Labels)) {
			mine = append(mine, p)
		}
	}
	slices.SortFunc(mine, func(a, b corev1.Pod) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	return mine
}

// describe returns what an instance does, from its Deployment, its pods, and the nodes
// that are away.
func describe(d *appsv1.Deployment, pods []corev1.Pod, away Away) State {
	s := State{Instance: d.Name, Template: digestOf(d.Spec.Template), Generation: d.Generation}
	if d.Status.ObservedGeneration < d.Generation {
		s.Doing = "waiting for the cluster to take it up"
		return s
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentAvailable {
			s.Turned = c.LastTransitionTime.Time
		}
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			s.Doing, s.Failing = "no pod is allowed: "+c.Message, true
			return s
		}
	}
	if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
		s.Doing, s.Failing = "stopped: scaled to 0", true
		return s
	}
	if len(pods) == 0 {
		s.Doing = "waiting for its pod"
		return s
	}
	if i := slices.IndexFunc(pods, func(p corev1.Pod) bool { return away.Gone[p.Spec.NodeName] }); i >= 0 {
		s.fromPod(&pods[i])
		s.lose()
		return s
	}
	doubtful := slices.IndexFunc(pods, func(p corev1.Pod) bool { return away.Silent[p.Spec.NodeName] })
	own := &pods[max(0, doubtful)] // what is not known to have ended keeps the next from its device
	s.fromPod(own)
	switch {
	case own.DeletionTimestamp != nil:
		s.Ready, s.Doing = false, "stopping the former IOC"
	case len(pods) > 1:
		s.Ready, s.Doing = false, "waiting for the former IOC to stop"
	case s.Ready && (d.Status.UpdatedReplicas < 1 || d.Status.ReadyReplicas < 1):
		s.Ready, s.Doing = false, "waiting for the cluster to see that it is ready"
	}
	if doubtful >= 0 && !s.Ready {
		s.doubt(own.Spec.NodeName)
	}
	return s
}

// digestOf returns a digest of a pod template.
func digestOf(template corev1.PodTemplateSpec) string {
	text, err := json.Marshal(template)
	if err != nil {
		return "" // it came from JSON
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// fromPod fills in what a pod's status says.
func (s *State) fromPod(p *corev1.Pod) {
	s.Pod, s.UID, s.Node = p.Name, string(p.UID), p.Spec.NodeName
	if len(p.Spec.Containers) > 0 {
		s.Container, s.Image = p.Spec.Containers[0].Name, p.Spec.Containers[0].Image
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			s.Doing = "no node takes it: " + c.Message
			return
		}
	}
	i := slices.IndexFunc(
		p.Status.ContainerStatuses,
		func(c corev1.ContainerStatus) bool { return c.Name == s.Container },
	)
	if i < 0 {
		s.Doing = "waiting for its node"
		return
	}
	for _, c := range p.Status.ContainerStatuses {
		if c.Name != s.Container {
			s.Beside += int(c.RestartCount)
		}
	}
	s.fromContainer(p.Status.ContainerStatuses[i])
}

// Reasons for a container's waiting that do not pass by themselves.
var stuck = []string{
	"ImagePullBackOff",
	"ErrImagePull",
	"InvalidImageName",
	"CreateContainerConfigError",
	"CreateContainerError",
	"RunContainerError",
}

// What containerd says when a node has too much to do at once; the kubelet then tries again.
var busy = []string{"context deadline exceeded", "DeadlineExceeded", "is reserved for"}

// isBusy reports whether a container waits only because its node is busy.
func isBusy(w *corev1.ContainerStateWaiting) bool {
	return (w.Reason == "CreateContainerError" || w.Reason == "RunContainerError") &&
		slices.ContainsFunc(busy, func(says string) bool { return strings.Contains(w.Message, says) })
}

// fromContainer fills in what the status of the IOC's container says.
func (s *State) fromContainer(c corev1.ContainerStatus) {
	s.Restarts = int(c.RestartCount)
	crashed := c.LastTerminationState.Terminated
	if c.State.Terminated != nil {
		crashed = c.State.Terminated
	}
	if crashed != nil {
		s.Ended = ending(crashed)
	}
	switch {
	case c.State.Running != nil && c.Ready:
		s.Ready, s.Doing = true, "ready"
	case c.State.Waiting != nil && isBusy(c.State.Waiting):
		s.Doing = "its node was too busy to start it, and tries again: " + c.State.Waiting.Message
	case c.State.Waiting != nil && slices.Contains(stuck, c.State.Waiting.Reason):
		s.Doing, s.Failing = fmt.Sprintf("%s: %s", c.State.Waiting.Reason, c.State.Waiting.Message), true
	case crashed != nil:
		s.Doing = "ended with " + s.Ended
		if s.Restarts > 1 {
			s.Doing = fmt.Sprintf("ended %d times, last with %s", s.Restarts, s.Ended)
		}
		s.Failing = s.Restarts >= 2
	case c.State.Running != nil:
		s.Doing = "started, its PV does not answer yet"
	default:
		s.Doing = "pulling its image or preparing its volumes"
	}
	if c.State.Running != nil {
		s.Since = c.State.Running.StartedAt.Time
	}
}

// ending returns how a container ended.
func ending(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason == "OOMKilled":
		return "more memory used than its limit allows (OOMKilled)"
	case t.Signal != 0:
		return fmt.Sprintf("signal %d", t.Signal)
	}
	return fmt.Sprintf("exit status %d", t.ExitCode)
}
