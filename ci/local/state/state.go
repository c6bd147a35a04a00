// Package state is the one directory that holds everything that a machine's
// stand-ins are made of: programs, logs, images, caches, mirrors.
package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Dir is the absolute path of the state directory.
type Dir string

// FromEnvironment returns the state directory that TAGLINE_STATE names, or else
// tagline below XDG_STATE_HOME or ~/.local/state. getenv is os.Getenv. The error is of
// kind diag.Invalid where none of them is set: a folder of whatever the command is run in
// would be somebody else's.
func FromEnvironment(getenv func(string) string) (Dir, error) {
	dir := getenv("TAGLINE_STATE")
	if dir == "" {
		parent := getenv("XDG_STATE_HOME")
		if home := getenv("HOME"); parent == "" && home != "" {
			parent = filepath.Join(home, ".local", "state")
		}
		if parent == "" {
			return "", &diag.Error{
				Kind: diag.Invalid, Doing: "looking for what tagline up keeps", Err: errors.New("HOME is not set"),
				Fix: "set HOME, or name a folder in TAGLINE_STATE",
			}
		}
		dir = filepath.Join(parent, "tagline")
	}
	dir, err := filepath.Abs(dir)
	return Dir(dir), err
}

// Path returns a path below the state directory.
func (d Dir) Path(elem ...string) string {
	return filepath.Join(append([]string{string(d)}, elem...)...)
}

// Mirrors holds bare repositories at <host>/<owner>/<repo>.git; whatever is put
// there is served.
func (d Dir) Mirrors() string { return d.Path("mirrors") }

// Bin holds the programs that were built here.
func (d Dir) Bin() string { return d.Path("bin") }

// LogFile is where the named process writes.
func (d Dir) LogFile(process string) string { return d.Path("log", process+".log") }

// PidFile returns the file that says which process runs under the given name.
func (d Dir) PidFile(process string) string { return d.Path("run", process+".json") }

// MkdirTemp makes a directory for work that is not finished. What a killed run
// left there is removed by RemoveTemp.
func (d Dir) MkdirTemp(name string) (string, error) {
	if err := os.MkdirAll(d.Path("tmp"), 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(d.Path("tmp"), name+"-")
}

// RemoveTemp removes what a killed run left. Processes of that run may take a
// moment to notice that they are alone, and write until then.
func (d Dir) RemoveTemp(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		err := os.RemoveAll(d.Path("tmp"))
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Lock makes a second caller wait until the first has called unlock.
func (d Dir) Lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.Path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for announced := false; ; announced = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != unix.EWOULDBLOCK {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		if !announced {
			step.Say(ctx, "state", "another tagline uses "+string(d)+"; waiting for it to end")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
