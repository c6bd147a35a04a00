package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// stopGrace is how long a process may take to end by itself.
const stopGrace = 20 * time.Second

// Running reports whether the named daemon lives.
func Running(s state.Dir, name string) bool {
	_, ok := readRecord(s, name)
	return ok
}

// readRecord returns the named process; false when it never ran or has ended.
func readRecord(s state.Dir, name string) (pidRecord, bool) {
	var rec pidRecord
	b, err := os.ReadFile(s.PidFile(name))
	if err != nil || json.Unmarshal(b, &rec) != nil || rec.Pid <= 1 {
		return pidRecord{}, false
	}
	return rec, rec.alive()
}

// alive reports whether it is still that process, and not a zombie.
func (r pidRecord) alive() bool {
	p, err := readStat(r.Pid)
	return err == nil && r.Boot == bootID() && p.started == r.Started && p.state != 'Z'
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
		if !waitGone(ctx, rec, stopGrace) {
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
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if p, err := readStat(pid); err == nil && p.session == rec.Pid {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// stat is what is read from /proc/<pid>/stat.
type stat struct {
	state   byte   // 'Z' is a zombie
	session int    // the session's leader
	started uint64 // clock ticks since boot
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// parseStat reads a line of proc(5). The second field is the program's name in
// parentheses and may hold anything, so it is counted from the last one.
func parseStat(b []byte) (stat, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return stat{}, errors.New("no program name")
	}
	f := strings.Fields(string(b[end+1:]))
	if len(f) < 20 || len(f[0]) != 1 {
		return stat{}, fmt.Errorf("%d fields after the program's name", len(f))
	}
	session, err := strconv.Atoi(f[3])
	if err != nil {
		return stat{}, err
	}
	started, err := strconv.ParseUint(f[19], 10, 64)
	return stat{state: f[0][0], session: session, started: started}, err
}

func startTime(pid int) (uint64, error) {
	p, err := readStat(pid)
	return p.started, err
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
