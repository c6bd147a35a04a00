package pods

import (
	"context"
	"io"

	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// LogOptions says which part of an IOC's log is wanted.
type LogOptions struct {
	Follow   bool  // go on until the IOC ends
	Previous bool  // of the IOC before its last restart
	Lines    int64 // the last ones only; 0 for all
}

// Logs copies what an IOC wrote to out.
func Logs(ctx context.Context, n *cluster.Namespace, s State, o LogOptions, out io.Writer) error {
	options := &corev1.PodLogOptions{Container: s.Container, Follow: o.Follow, Previous: o.Previous}
	if o.Lines > 0 {
		options.TailLines = &o.Lines
	}
	stream, err := n.Client.CoreV1().Pods(n.Name).GetLogs(s.Pod, options).Stream(ctx)
	if err != nil {
		return cluster.Broken("reading the log of "+s.Instance, err)
	}
	defer stream.Close()
	_, err = io.Copy(out, stream)
	return err
}
