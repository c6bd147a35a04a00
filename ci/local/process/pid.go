package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// stopGrace is how long a process may take to end by itself, unless it says otherwise.
const stopGrace = 20 * time.Second

// Running reports whether the named daemon lives.
func Running(s state.Dir, name string) bool {
	_, ok := readRecord(s, name)
	return ok
}

// Died reports whether the named daemon ended without Stop: it was killed, it
// failed, or the machine went down.
func Died(s state.Dir, name string) bool {
	_, err := os.Stat(s.PidFile(name))
	return err == nil && !Running(s, name)
}

// Pid returns the process number of the named daemon; false when it does not run.
func Pid(s state.Dir, name string) (int, bool) {
	rec, ok := readRecord(s, name)
	return rec.Pid, ok
}

// readRecord returns the named process; false when it never ran or has ended. One that
// was killed and still ends, as a node with a hundred containers does for seconds, is waited
// for: who is told that it runs would not start it again.
func readRecord(s state.Dir, name string) (pidRecord, bool) {
	var rec pidRecord
	b, err := os.ReadFile(s.PidFile(name))
	if err != nil || json.Unmarshal(b, &rec) != nil || rec.Pid <= 1 {
		return pidRecord{}, false
	}
	for late := time.Now().Add(stopGrace); rec.ending() && time.Now().Before(late); {
		time.Sleep(50 * time.Millisecond)
	}
	return rec, rec.alive()
}

// alive reports whether it is still that process, and not a zombie.
func (r pidRecord) alive() bool {
	p, err := readStat(r.Pid)
	return err == nil && r.Boot == bootID() && p.Starttime == r.Started && p.State != "Z"
}

// ending reports whether the kernel is taking it down.
func (r pidRecord) ending() bool {
	const exiting = 0x4 // PF_EXITING
	p, err := readStat(r.Pid)
	return err == nil && p.Flags&exiting != 0 && r.alive()
}

// bootID differs each time the machine starts.
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// Stop ends the named daemon and all of its session: politely, then not.
// Stopping what does not run only removes a stale pid file.
func Stop(ctx context.Context, s state.Dir, name string) error {
	rec, ok := readRecord(s, name)
	if ok {
		_ = syscall.Kill(rec.Pid, syscall.SIGTERM)
		if !waitGone(ctx, rec, rec.Grace) {
			_ = syscall.Kill(rec.Pid, syscall.SIGKILL)
		}
		killSession(rec)
		if !waitGone(context.WithoutCancel(ctx), rec, 10*time.Second) {
			return fmt.Errorf("stopping %s: process %d survives SIGKILL", name, rec.Pid)
		}
	}
	if err := os.Remove(s.PidFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// waitGone waits until the process has ended; false when it has not in time.
func waitGone(ctx context.Context, rec pidRecord, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for rec.alive() {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return false
		}
		time.Sleep(50 * time.Millisecond)
	}
	return true
}

// killSession ends what is left of the session that the process led.
func killSession(rec pidRecord) {
	all, _ := procfs.AllProcs()
	for _, p := range all {
		if stat, err := p.Stat(); err == nil && stat.Session == rec.Pid {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// readStat returns what the kernel says about a process.
func readStat(pid int) (procfs.ProcStat, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return procfs.ProcStat{}, err
	}
	return p.Stat()
}

// openLog starts a new log and keeps the one before it.
func openLog(s state.Dir, name string) (*os.File, error) {
	path := s.LogFile(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// logTail returns the last lines of the named process's log, and where it is.
func logTail(s state.Dir, name string, lines int) string {
	b, err := os.ReadFile(s.LogFile(name))
	if err != nil {
		return "no log: " + err.Error()
	}
	last := strings.ReplaceAll(LastLines(string(b), lines), "\n", "\n  ")
	return fmt.Sprintf("last lines of %s:\n  %s", s.LogFile(name), last)
}
