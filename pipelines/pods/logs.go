package pods

import (
	"bufio"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// LogOptions says which part of the IOCs' logs is wanted.
type LogOptions struct {
	Follow   bool           // go on until the IOC ends
	Previous bool           // of the IOC before its last restart
	Lines    int64          // the last ones only; 0 for all
	Since    time.Duration  // the newest ones only; 0 for all
	Grep     *regexp.Regexp // only lines that match; nil for all
}

// Logs calls line for each line that the IOCs wrote, without its end. Lines of
// one IOC come in order; line is called from one goroutine for each IOC. The
// error joins those of all IOCs whose log could not be read.
func Logs(
	ctx context.Context, n *cluster.Namespace, states []State, o LogOptions, line func(instance, text string),
) error {
	return step.Each(ctx, max(1, len(states)), states, func(ctx context.Context, s State) error {
		if err := logOf(ctx, n, s, o, line); err != nil {
			return cluster.Broken("reading the log of "+s.Instance, err)
		}
		return nil
	})
}

func logOf(ctx context.Context, n *cluster.Namespace, s State, o LogOptions, line func(instance, text string)) error {
	if s.Pod == "" {
		return errors.New("it has no pod: " + s.Doing)
	}
	options := &corev1.PodLogOptions{Container: s.Container, Follow: o.Follow, Previous: o.Previous}
	if o.Lines > 0 {
		options.TailLines = &o.Lines
	}
	if o.Since > 0 {
		seconds := max(1, int64(o.Since.Seconds()))
		options.SinceSeconds = &seconds
	}
	stream, err := n.Client.CoreV1().Pods(n.Name).GetLogs(s.Pod, options).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	return eachLine(stream, o.Grep, func(text string) { line(s.Instance, text) })
}

// eachLine calls line for each line that matches; a line may have any length.
func eachLine(r io.Reader, grep *regexp.Regexp, line func(string)) error {
	lines := bufio.NewReader(r)
	for {
		text, err := lines.ReadString('\n')
		text = strings.TrimRight(text, "\r\n")
		ended := text == "" && err != nil
		if !ended && (grep == nil || grep.MatchString(text)) {
			line(text)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
