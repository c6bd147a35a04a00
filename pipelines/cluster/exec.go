package cluster

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
)

// Exec runs a command in an instance's container and gives what it wrote to
// stdout. The error holds what it wrote to stderr.
func (n *Namespace) Exec(ctx context.Context, s State, command ...string) (string, error) {
	at := n.subresource(s.Pod, "exec", &corev1.PodExecOptions{Container: s.Container, Command: command, Stdout: true, Stderr: true})
	stream, err := n.executor(at)
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

func (n *Namespace) subresource(pod, what string, options any) *url.URL {
	req := n.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(n.Name).Name(pod).SubResource(what)
	switch o := options.(type) {
	case *corev1.PodExecOptions:
		req = req.VersionedParams(o, scheme.ParameterCodec)
	case *corev1.PodAttachOptions:
		req = req.VersionedParams(o, scheme.ParameterCodec)
	}
	return req.URL()
}

// executor speaks WebSocket, and SPDY where a proxy on the way does not let it.
func (n *Namespace) executor(at *url.URL) (remotecommand.Executor, error) {
	ws, err := remotecommand.NewWebSocketExecutor(n.config, "GET", at.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(n.config, "POST", at)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(ws, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
