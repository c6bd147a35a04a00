package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

const (
	longestDelay = 5 * time.Second  // of a fault, after the command's start
	longestFault = 40 * time.Second // that lasts: longer than a promotion's lease does
	hangs        = 6 * time.Minute  // after which a command is taken for one that never ends
	stableTime   = 3 * time.Second
	settleTime   = 4 * time.Minute
)

// trial is a beamline to which faults happen.
type trial struct {
	*fleet.Fleet
	registry *registry.Registry
	rng      *rand.Rand
	releases int    // that were begun
	version  string // of the last promotion that ended well
}

// work is a command that a fault happens to, and the one that is given after it.
type work struct {
	kind        string
	line, again []string
	version     string // of a release
}

// next draws what is done: a release, a promotion of the version that does not
// run, or a rollback.
func (t *trial) next() (work, error) {
	promotion := t.Promotion(fleet.Other(t.version))
	switch n := t.rng.IntN(10); {
	case n < 3:
		t.releases++
		version := fmt.Sprintf("2026.2.%d", t.releases)
		line := t.Release(t.Line + "/" + version)
		return work{"release", line, line, version}, t.Tag(version)
	case n < 8:
		return work{kind: "promotion", line: promotion, again: promotion}, nil
	}
	return work{kind: "rollback", line: []string{"rollback", t.Line}, again: promotion}, nil
}

// once does one thing, lets a fault happen to it, and looks at what is left.
func (t *trial) once(ctx context.Context, r *result) error {
	w, err := t.next()
	if err != nil {
		return err
	}
	f := faults[t.rng.IntN(len(faults))]
	delay := time.Duration(t.rng.Int64N(int64(longestDelay)))
	length := time.Duration(t.rng.Int64N(int64(longestFault)))
	lasting := ""
	if f.how.lasts() {
		lasting = " for " + length.Round(time.Millisecond).String()
	}
	fleet.Say(fmt.Sprintf("%s%s after %s: tagline %s",
		f, lasting, delay.Round(time.Millisecond), strings.Join(w.line, " ")))
	c := counts{Runs: 1}
	switch early, err := t.struck(ctx, w, f, delay, length); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUnmended):
		return err
	case early:
		c.Early = 1
	case err == nil:
		c.Succeeded = 1
	default:
		fleet.Say("it ended with " + err.Error())
	}
	if err := t.halfPublished(ctx, w); err != nil {
		return err
	}
	if err := t.Tagline(ctx, w.again...); err != nil {
		return fmt.Errorf("after %s, given again: %w", f, err)
	}
	if w.kind != "release" {
		t.version = w.again[2]
	}
	if err := t.halfPublished(ctx, w); err != nil {
		return err
	}
	if err := t.Settled(ctx, stableTime, settleTime); err != nil {
		return fmt.Errorf("after %s: the beamline is half promoted: %w", f, err)
	}
	r.add(f.String(), c)
	return nil
}

// errUnmended is the cause of an error of the trial itself.
var errUnmended = errors.New("the trial can't go on")

// struck runs the work with the fault, and returns how it ended. It reports
// whether the work had ended before the fault.
func (t *trial) struck(ctx context.Context, w work, f fault, delay, length time.Duration) (early bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, hangs)
	defer cancel()
	cmd := t.Cmd(ctx, w.line...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return false, errors.Join(errUnmended, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return true, err
	case <-time.After(delay):
	}
	if err := t.strike(ctx, f, cmd.Process.Pid, length); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, errors.Join(errUnmended, err)
	}
	if err := t.mend(ctx, f); err != nil {
		return false, errors.Join(errUnmended, err)
	}
	err = <-ended
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false, fmt.Errorf("%w: tagline did not end within %s\n%s", errUnmended, hangs, out.String())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, last(out.String()))
	}
	return false, err
}

// strike does the fault to its part, or to the command.
func (t *trial) strike(ctx context.Context, f fault, command int, length time.Duration) error {
	if f.port != nil {
		port, err := f.port(t)
		if err != nil {
			return err
		}
		return cutOff(ctx, port, length)
	}
	if f.pid == nil {
		return f.strike(ctx, command, length)
	}
	pid, err := f.pid(t)
	if err != nil {
		return err
	}
	return f.strike(ctx, pid, length)
}

// last returns the last line of what a command wrote.
func last(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// halfPublished looks at the release of a work: it has no record, or all of its
// content is there.
func (t *trial) halfPublished(ctx context.Context, w work) error {
	if w.kind != "release" {
		return nil
	}
	name, err := asset.ParseName(t.Line)
	if err != nil {
		return err
	}
	version, err := asset.ParseVersion(w.version)
	if err != nil {
		return err
	}
	rec, _, err := t.registry.Record(ctx, name, version)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, a := range rec.Artifacts {
		if _, err := t.registry.Intact(ctx, a.Pinned()); err != nil {
			return fmt.Errorf("release %s is half published: %w", w.version, err)
		}
	}
	return nil
}
