// Package leaf builds the programs that stand in on one machine from source, in
// Go modules of their own: their dependencies are large and must not weigh on
// everybody else's.
package leaf

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// modulePath is the first line of the repository's go.mod.
const modulePath = "module github.com/tagline-ci/tagline\n"

// Module is a Go module whose programs are built on the machine that needs
// them.
type Module struct {
	Name     string            // its folder below ci/local
	Programs map[string]string // file name → Go package
	LDFlags  string
}

// Build returns the folder that holds the module's programs. It builds them
// only when the module, the Go version or the flags changed; a build that was
// killed leaves nothing that is taken for one that ended.
func Build(ctx context.Context, s state.Dir, m Module) (string, error) {
	root, err := repositoryRoot()
	if err != nil {
		return "", err
	}
	src := filepath.Join(root, "ci", "local", m.Name)
	key, err := m.key(ctx, src)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", src, err)
	}
	out := filepath.Join(s.Bin(), m.Name+"-"+key)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	step.Say(ctx, m.Name, "building from source; this takes minutes the first time")
	if err := os.MkdirAll(s.Bin(), 0o755); err != nil {
		return "", err
	}
	tmp, err := s.MkdirTemp(m.Name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, name := range m.names() {
		if err := m.build(ctx, src, m.Programs[name], filepath.Join(tmp, name)); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, out); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return out, state.RemoveOthers(m.Name+"-", out)
}

func (m Module) names() []string {
	var names []string
	for n := range m.Programs {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (m Module) build(ctx context.Context, src, pkg, out string) error {
	log, err := process.Child{Dir: src, Env: []string{"CGO_ENABLED=0", "GOWORK=off", "GOTMPDIR=" + filepath.Dir(out)},
		Args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w " + m.LDFlags, "-o", out, pkg}}.Run(ctx)
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, process.LastLines(log, 20))
	}
	return nil
}

// key is a hash of all that decides what the programs are.
func (m Module) key(ctx context.Context, src string) (string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOARCH").Output()
	if err != nil {
		return "", &diag.Error{Kind: diag.Broken, Doing: "looking for Go", Err: err,
			Fix: "install Go; the stand-ins are built from source"}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%s\n", version, m.LDFlags)
	for _, n := range m.names() {
		fmt.Fprintln(h, n, m.Programs[n])
	}
	err = filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, _ := filepath.Rel(src, path)
		fmt.Fprintln(h, rel)
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(h, f)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6]), err
}

// repositoryRoot finds our own source, upward from the working directory:
// engine and cluster are built from it.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && bytes.HasPrefix(b, []byte(modulePath)) {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", &diag.Error{Kind: diag.Broken, Doing: "looking for Tagline's source",
				Err: fmt.Errorf("no checkout at or above %s, and this machine offers no engine or cluster", dir),
				Fix: "run `tagline up` in a checkout of the Tagline repository"}
		}
	}
}
