package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// action is one thing that happens to a beamline.
type action struct {
	name   string
	weight int // how often, beside the others
	run    func(ctx context.Context, rng *rand.Rand) error
}

func (b *soaked) actions() []action {
	promote := func(version string) func(context.Context, *rand.Rand) error {
		return func(ctx context.Context, _ *rand.Rand) error {
			return b.Tagline(ctx, b.Promotion(version)...)
		}
	}
	return []action{
		{"promotion of " + fleet.Second, 2, promote(fleet.Second)},
		{"promotion of " + fleet.First, 2, promote(fleet.First)},
		{"rollback", 2, b.rollback},
		{"status", 2, func(ctx context.Context, _ *rand.Rand) error { return b.Tagline(ctx, "status", line) }},
		{"crash of an IOC", 4, b.crash},
		{"deleted pod", 2, b.deletePod},
		{"stop and start of an IOC", 2, b.stopAndStart},
		{"restart of the node", 1, b.restartNode},
		{"console session", 4, b.console},
	}
}

// pick draws an action by its weight.
func pick(rng *rand.Rand, all []action) action {
	sum := 0
	for _, a := range all {
		sum += a.weight
	}
	for n := rng.IntN(sum); ; all = all[1:] {
		if n -= all[0].weight; n < 0 {
			return all[0]
		}
	}
}

// putBack is the exit status of a promotion whose IOCs did not live and that put
// the beamline back: where they crash at random, that is no fault.
const putBack = 4

// do runs an action and counts it.
func (b *soaked) do(ctx context.Context, a action, rng *rand.Rand, r *result) error {
	err := a.run(ctx, rng)
	var exit *exec.ExitError
	switch {
	case err == nil:
		r.Done[a.name]++
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == putBack:
		r.Done[a.name+", put back"]++
		return nil
	}
	return fmt.Errorf("%s: %w", a.name, err)
}

// rollback returns to the former release. Where rollbacks have left every other one, it
// promotes one first.
func (b *soaked) rollback(ctx context.Context, _ *rand.Rand) error {
	past, err := ledger.Read(ctx, b.Namespace)
	if err != nil {
		return err
	}
	if len(past.Releases) < 2 {
		other := fleet.Other(past.Current().Record.Version.String())
		if err := b.Tagline(ctx, b.Promotion(other)...); err != nil {
			return err
		}
	}
	return b.Tagline(ctx, "rollback", line)
}

// victim returns a ready IOC; of those that were killed least, any.
func (b *soaked) victim(ctx context.Context, rng *rand.Rand) (pods.State, error) {
	states, _, err := pods.States(ctx, b.Namespace)
	if err != nil {
		return pods.State{}, err
	}
	var ready []pods.State
	for _, name := range slices.Sorted(maps.Keys(states)) {
		if states[name].Ready {
			ready = append(ready, states[name])
		}
	}
	if len(ready) == 0 {
		return pods.State{}, errors.New("no IOC is ready")
	}
	rng.Shuffle(len(ready), func(i, j int) { ready[i], ready[j] = ready[j], ready[i] })
	return slices.MinFunc(ready, func(x, y pods.State) int {
		return cmp.Compare(b.killed[x.Instance], b.killed[y.Instance])
	}), nil
}

// crash ends the process of an IOC as a segmentation fault would.
func (b *soaked) crash(ctx context.Context, rng *rand.Rand) error {
	s, err := b.victim(ctx, rng)
	if err != nil {
		return err
	}
	b.killed[s.Instance]++
	all, err := procfs.AllProcs()
	if err != nil {
		return err
	}
	for _, p := range all {
		if line, err := p.CmdLine(); err != nil || !isIOC(line) {
			continue
		}
		groups, err := p.Cgroups()
		ofPod := func(g procfs.Cgroup) bool { return s.UID != "" && strings.Contains(g.Path, s.UID) }
		if err == nil && slices.ContainsFunc(groups, ofPod) {
			fleet.Say("crash of " + s.Instance)
			return syscall.Kill(p.PID, syscall.SIGSEGV)
		}
	}
	return fmt.Errorf("the process of %s is not on this machine", s.Instance)
}

// isIOC reports whether a command line is an IOC's, and not its supervisor's.
func isIOC(line []string) bool {
	return len(line) > 0 && (line[0] == "/epics/ioc/ioc" || strings.HasPrefix(line[0], "/epics/ioc/bin/"))
}

// deletePod does what draining a node does.
func (b *soaked) deletePod(ctx context.Context, rng *rand.Rand) error {
	s, err := b.victim(ctx, rng)
	if err != nil {
		return err
	}
	fleet.Say("deleting pod " + s.Pod)
	return b.Client.CoreV1().Pods(b.Name).Delete(ctx, s.Pod, metav1.DeleteOptions{})
}

// stopAndStart does what a person does who works at a device.
func (b *soaked) stopAndStart(ctx context.Context, rng *rand.Rand) error {
	s, err := b.victim(ctx, rng)
	if err != nil {
		return err
	}
	for _, command := range []string{"stop", "start"} {
		if err := b.Tagline(ctx, command, line, s.Instance, "--reason", "a device is looked at"); err != nil {
			return err
		}
	}
	return nil
}

// restartNode takes the power from the node, and waits until its IOCs are back.
func (b *soaked) restartNode(ctx context.Context, _ *rand.Rand) error {
	pid, ok := process.Pid(b.State, fleet.Node)
	if !ok {
		return errors.New("the node does not run")
	}
	fleet.Say("restart of the node")
	if err := fleet.Kill(ctx, pid); err != nil {
		return err
	}
	if err := b.Tagline(ctx, "up"); err != nil {
		return err
	}
	return b.Settled(ctx, stableTime, settleTime)
}

// console joins an IOC's shell, moves its stage, which is kept in a file where it comes to
// rest, and leaves or is cut off.
func (b *soaked) console(ctx context.Context, rng *rand.Rand) error {
	s, err := b.victim(ctx, rng)
	if err != nil {
		return err
	}
	fleet.Say("console of " + s.Instance)
	ctx, cut := context.WithTimeout(ctx, 5*time.Second)
	defer cut()
	keys, keyboard := io.Pipe()
	defer keyboard.Close()
	target, leaves := rng.IntN(10), rng.IntN(2) == 0
	go func() {
		fmt.Fprintf(keyboard, "dbpf %s:STAGE:VAL %d\r", strings.ToUpper(s.Instance), target)
		if leaves {
			time.Sleep(time.Second)
			_, _ = keyboard.Write([]byte{pods.LeaveKey})
		}
	}()
	if err := pods.Console(ctx, b.Namespace, s, keys, io.Discard, window{ctx}); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// window is a terminal of 80 columns that never changes.
type window struct{ ctx context.Context }

// Next returns nil at the end of the session.
func (w window) Next() *remotecommand.TerminalSize {
	<-w.ctx.Done()
	return nil
}
