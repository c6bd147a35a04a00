package pods

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Terminal is a person's terminal. Keys are passed on as they are typed.
type Terminal struct {
	In    io.Reader
	Out   io.Writer
	Sizes remotecommand.TerminalSizeQueue // yields the terminal's size whenever it changes
}

// Shell runs bash in an IOC's container, or sh where it has no bash, and returns
// when it ends. Its exit status is no error.
func Shell(ctx context.Context, n *cluster.Namespace, s State, t Terminal) error {
	command := []string{"/bin/sh", "-c", "if command -v bash >/dev/null; then exec bash; else exec sh; fi"}
	address := subresource(n, s.Pod, "exec", &corev1.PodExecOptions{
		Container: s.Container, Command: command, Stdin: true, Stdout: true, TTY: true,
	})
	stream, err := executor(n, address)
	if err != nil {
		return cluster.Broken("opening a shell in "+s.Instance, err)
	}
	return t.join(ctx, stream, "opening a shell in "+s.Instance)
}

func (t Terminal) join(ctx context.Context, stream remotecommand.Executor, doing string) error {
	err := stream.StreamWithContext(
		ctx, remotecommand.StreamOptions{Stdin: t.In, Stdout: t.Out, Tty: true, TerminalSizeQueue: t.Sizes},
	)
	var exit interface{ ExitStatus() int }
	if err == nil || errors.As(err, &exit) {
		return nil
	}
	return cluster.Broken(doing, err)
}

// Debug starts a container of an image beside an IOC, which sees the IOC's
// processes, and runs bash in it. The container stays in the pod until the IOC
// restarts, as Kubernetes has it: the IOC itself is not touched.
func Debug(ctx context.Context, n *cluster.Namespace, s State, image string, t Terminal) error {
	doing := "debugging " + s.Instance
	name := fmt.Sprintf("debug-%x", time.Now().UnixNano())
	patch, err := json.Marshal(map[string]any{
		"spec": map[string]any{"ephemeralContainers": []any{debugger(name, image, s.Container)}},
	})
	if err != nil {
		return err
	}
	client := n.Client.CoreV1().Pods(n.Name)
	_, err = client.Patch(
		ctx, s.Pod, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "ephemeralcontainers",
	)
	if err != nil {
		return cluster.Broken(doing, err)
	}
	if err := started(ctx, n, s, name); err != nil {
		return cluster.Broken(doing, err)
	}
	address := subresource(
		n, s.Pod, "attach", &corev1.PodAttachOptions{Container: name, Stdin: true, Stdout: true, TTY: true},
	)
	stream, err := executor(n, address)
	if err != nil {
		return cluster.Broken(doing, err)
	}
	return t.join(ctx, stream, doing)
}

// debugger is the container that Debug adds. It has an IOC's own restrictions,
// and may write to its own files.
func debugger(name, image, target string) corev1.EphemeralContainer {
	no := false
	return corev1.EphemeralContainer{
		TargetContainerName: target,
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: name, Image: image, ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"bash"}, Stdin: true,
			TTY: true,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		},
	}
}

// started waits until a container beside an IOC runs.
func started(ctx context.Context, n *cluster.Namespace, s State, container string) error {
	shown := ""
	for {
		p, err := n.Client.CoreV1().Pods(n.Name).Get(ctx, s.Pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range p.Status.EphemeralContainerStatuses {
			switch {
			case c.Name != container:
			case c.State.Running != nil:
				return nil
			case c.State.Terminated != nil:
				return fmt.Errorf("it ended with %s", ending(c.State.Terminated))
			case c.State.Waiting != nil && slices.Contains(stuck, c.State.Waiting.Reason):
				return fmt.Errorf("%s: %s", c.State.Waiting.Reason, c.State.Waiting.Message)
			case c.State.Waiting != nil && shown != c.State.Waiting.Reason:
				shown = c.State.Waiting.Reason
				step.Say(ctx, s.Instance, "pulling the debugging image")
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}
