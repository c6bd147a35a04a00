// Package local brings up what a release and a promotion need on one machine
// that has none of it: a Dagger engine, an OCI registry, base images, mirrors
// of git sources and a one-node Kubernetes cluster. Where the machine offers
// the real thing, that is used instead.
package local

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// State is the one directory under which everything lies that a machine's
// stand-ins are made of: programs, logs, images, caches, mirrors.
type State struct {
	Dir string // absolute
}

// Path gives a path below the state directory.
func (s State) Path(elem ...string) string {
	return filepath.Join(append([]string{s.Dir}, elem...)...)
}

// MirrorsDir holds bare repositories at <host>/<owner>/<repo>.git; whatever is
// put there is served.
func (s State) MirrorsDir() string { return s.Path("mirrors") }

// LogFile is where the named process writes.
func (s State) LogFile(name string) string { return s.Path("log", name+".log") }

// tempDir makes a directory for work that is not finished. What a killed run
// left there is removed by the next Up.
func (s State) tempDir(name string) (string, error) {
	if err := os.MkdirAll(s.Path("tmp"), 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(s.Path("tmp"), name+"-")
}

// removeTemp removes what a killed run left. Processes of that run may take a
// moment to notice.
func (s State) removeTemp(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		err := os.RemoveAll(s.Path("tmp"))
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
	}
}

// binDir holds the programs that were built here.
func (s State) binDir() string { return s.Path("bin") }

// pidFile says which process runs under the given name.
func (s State) pidFile(name string) string { return s.Path("run", name+".json") }

// writeFile writes a file so that a reader, or a run after one that was
// killed, sees all of it or nothing.
func writeFile(path string, data []byte, perm os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), perm); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
