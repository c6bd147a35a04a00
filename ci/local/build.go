package local

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

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// modulePath is the first line of the repository's go.mod.
const modulePath = "module github.com/tagline-ci/tagline\n"

// leaf is a Go module beside this package whose programs are built on the
// machine that needs them. It is a module of its own since its dependencies
// are large and must not weigh on everybody else's.
type leaf struct {
	Name     string            // its folder below ci/local
	Programs map[string]string // file name → Go package
	LDFlags  string
}

// buildLeaf gives the folder that holds the leaf's programs. It builds them
// only when the module, the Go version or the flags changed; a build that was
// killed leaves nothing that is taken for one that ended.
func buildLeaf(ctx context.Context, s State, progress Progress, l leaf) (string, error) {
	root, err := repositoryRoot()
	if err != nil {
		return "", err
	}
	src := filepath.Join(root, "ci", "local", l.Name)
	key, err := l.key(ctx, src)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", src, err)
	}
	out := filepath.Join(s.binDir(), l.Name+"-"+key)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	progress(l.Name, "building from source; this takes minutes the first time")
	if err := os.MkdirAll(s.binDir(), 0o755); err != nil {
		return "", err
	}
	tmp, err := s.tempDir(l.Name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, name := range l.names() {
		if err := l.build(ctx, src, l.Programs[name], filepath.Join(tmp, name)); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, out); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return out, removeOthers(s.binDir(), l.Name+"-", out)
}

func (l leaf) names() []string {
	var names []string
	for n := range l.Programs {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (l leaf) build(ctx context.Context, src, pkg, out string) error {
	log, err := child{Dir: src, Env: []string{"CGO_ENABLED=0", "GOWORK=off", "GOTMPDIR=" + filepath.Dir(out)},
		Args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w " + l.LDFlags, "-o", out, pkg}}.run(ctx)
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, lastLines(log, 20))
	}
	return nil
}

// key is a hash of all that decides what the programs are.
func (l leaf) key(ctx context.Context, src string) (string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOARCH").Output()
	if err != nil {
		return "", &diag.Error{Kind: diag.Broken, Doing: "looking for Go", Err: err,
			Fix: "install Go; the stand-ins are built from source"}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s%s\n", version, l.LDFlags)
	for _, n := range l.names() {
		fmt.Fprintln(h, n, l.Programs[n])
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

// removeOthers removes what has the prefix in dir, except keep.
func removeOthers(dir, prefix, keep string) error {
	old, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return err
	}
	for _, o := range old {
		if o != keep {
			if err := os.RemoveAll(o); err != nil {
				return err
			}
		}
	}
	return nil
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
