package pods

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// Exec runs a command in an instance's container and returns what it wrote to
// stdout. The error holds what it wrote to stderr.
func Exec(ctx context.Context, n *cluster.Namespace, s State, command ...string) (string, error) {
	address := subresource(
		n,
		s.Pod,
		"exec",
		&corev1.PodExecOptions{Container: s.Container, Command: command, Stdout: true, Stderr: true},
	)
	stream, err := executor(n, address)
	if err != nil {
		return "", err
	}
	var out, errs bytes.Buffer
	if err := stream.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &errs}); err != nil {
		if talk := strings.TrimSpace(errs.String() + out.String()); talk != "" {
			return out.String(), fmt.Errorf("%w: %s", err, talk)
		}
		return out.String(), err
	}
	return out.String(), nil
}

func subresource(n *cluster.Namespace, pod, what string, options any) *url.URL {
	req := n.Client.CoreV1().RESTClient().Post().Resource("pods").Namespace(n.Name).Name(pod).SubResource(what)
	switch o := options.(type) {
	case *corev1.PodExecOptions:
		req = req.VersionedParams(o, scheme.ParameterCodec)
	case *corev1.PodAttachOptions:
		req = req.VersionedParams(o, scheme.ParameterCodec)
	}
	return req.URL()
}

// executor speaks WebSocket, or SPDY where a proxy on the way does not let
// WebSocket through.
func executor(n *cluster.Namespace, address *url.URL) (remotecommand.Executor, error) {
	ws, err := remotecommand.NewWebSocketExecutor(n.Config, "GET", address.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(n.Config, "POST", address)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(ws, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
