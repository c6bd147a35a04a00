// Package process runs the programs that stand in on one machine: commands that
// end with ours, daemons that outlive it, and the namespaces of the kernel that
// keep what they mount and write away from the machine.
package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// Daemon is a process of ours that outlives the command that started it.
type Daemon struct {
	Name string   // names its log and pid file: "engine"
	Args []string // the program and its arguments
	Env  []string // added to our own environment
	// Private, when set, gives the process mounts and process numbers of its
	// own: nothing that it mounts is seen outside, and all that it started
	// ends with it.
	Private *Enclosure
	// Self is the command line that runs this program's own verbs in a new
	// process, "/usr/bin/tagline serve". It comes before Args when Private is
	// set, or when Own is.
	Self []string
	Own  bool // Args are such a verb
	// Ready returns nil once the process can be used. It is called again and
	// again until then, until ctx ends, or until the process does.
	Ready func(ctx context.Context) error
	// Limit is how long to wait for Ready; 0 means a minute.
	Limit time.Duration
	// Grace is how long it may take to end by itself; 0 means 20 s.
	Grace time.Duration
}

// SystemPath is the PATH of every daemon, whatever that of the person is who
// starts it: what runs must not depend on whose shell it was started from.
const SystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// pidRecord is the pid file. A number alone would not do: after a crash or a
// restart of the machine it may be somebody else's.
type pidRecord struct {
	Pid     int    `json:"pid"`
	Started uint64 `json:"started"` // clock ticks since boot, from /proc
	Boot    string `json:"boot"`    // the kernel's name for this boot
	Spec    string `json:"spec"`    // what was started, see Daemon.spec
	// how long it may take to end by itself, in ns
	Grace time.Duration `json:"grace"`
}

// Start starts the process and waits until it is ready. It does nothing when
// the same process runs already, and replaces one that was started otherwise.
// The error of a start that failed carries the last lines of the log.
func Start(ctx context.Context, s state.Dir, d Daemon) error {
	if rec, ok := readRecord(s, d.Name); ok {
		if rec.Spec == d.spec() && await(ctx, s, d, nil) == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := Stop(ctx, s, d.Name); err != nil {
			return err
		}
	}
	exited, err := launch(s, d)
	if err != nil {
		return fmt.Errorf("starting %s: %w", d.Name, err)
	}
	if err := await(ctx, s, d, exited); err != nil {
		_ = Stop(context.WithoutCancel(ctx), s, d.Name)
		return fmt.Errorf("starting %s: %w\n%s", d.Name, err, logTail(s, d.Name, 15))
	}
	return nil
}

// spec is a hash by which a running process is known to be the one that is
// wanted.
func (d Daemon) spec() string {
	b, _ := json.Marshal([]any{d.Args, d.Env, d.Private})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// launch starts the process in a session of its own and writes its pid file.
func launch(s state.Dir, d Daemon) (<-chan error, error) {
	log, err := openLog(s, d.Name)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args, attr := d.Args, &syscall.SysProcAttr{Setsid: true}
	switch {
	case d.Private != nil:
		args = append(append(append([]string{}, d.Self...), d.Private.args()...), d.Args...)
		attr.Cloneflags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
	case d.Own:
		args = append(append([]string{}, d.Self...), d.Args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), d.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attr
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	stat, err := readStat(cmd.Process.Pid)
	if err != nil {
		return exited, nil // gone already: await says why
	}
	grace := d.Grace
	if grace == 0 {
		grace = stopGrace
	}
	b, _ := json.Marshal(pidRecord{cmd.Process.Pid, stat.Starttime, bootID(), d.spec(), grace})
	if err := state.WriteFile(s.PidFile(d.Name), b, 0o644); err != nil {
		_ = cmd.Process.Kill()
		return nil, err
	}
	return exited, nil
}

// await polls Ready. exited is nil for a process that somebody else started.
func await(ctx context.Context, s state.Dir, d Daemon, exited <-chan error) error {
	limit := d.Limit
	if limit == 0 {
		limit = time.Minute
	}
	deadline, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		probe, done := context.WithTimeout(deadline, 5*time.Second)
		err := d.Ready(probe)
		done()
		if err == nil {
			return nil
		}
		select {
		case exit := <-exited:
			if exit == nil {
				exit = errors.New("exit status 0")
			}
			return fmt.Errorf("it ended: %w", exit)
		case <-deadline.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("not ready after %s: %w", limit, err)
		case <-time.After(100 * time.Millisecond):
		}
		if exited == nil && !Running(s, d.Name) {
			return errors.New("it ended")
		}
	}
}
