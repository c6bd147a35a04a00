// Package leaf builds the programs that stand in on one machine from source, in
// Go modules of their own: their dependencies are large and must not weigh on
// everybody else's. It carries the sources, so that an installed tagline needs
// no checkout.
package leaf

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// The sources of the modules beside this package, as txtar archives. Go embeds
// no file of another module, so these are copies; a test holds them equal.
var (
	//go:embed daggerd.txtar
	Daggerd string
	//go:embed kube.txtar
	Kube string
)

// Module is a Go module whose programs are built on the machine that needs
// them.
type Module struct {
	Name     string            // "daggerd"; names what is built, in the state directory
	Sources  string            // a txtar archive with go.mod and go.sum
	Programs map[string]string // file name → Go package
	LDFlags  string
}

// Build returns the folder that holds the module's programs. It builds them
// only when the module, the Go version or the flags changed; a build that was
// killed leaves nothing that is taken for one that ended.
func Build(ctx context.Context, s state.Dir, m Module) (string, error) {
	version, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOARCH").Output()
	if err != nil {
		return "", &diag.Error{Kind: diag.Broken, Doing: "looking for Go", Err: err,
			Fix: "install Go; the stand-ins are built from source"}
	}
	out := filepath.Join(s.Bin(), m.Name+"-"+m.key(version))
	if state.Exists(out) {
		return out, nil
	}
	step.Say(ctx, m.Name, "building from source; this takes minutes the first time")
	tmp, err := s.MkdirTemp(m.Name)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	bin, err := m.build(ctx, tmp)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.Bin(), 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(bin, out); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return out, state.RemoveOthers(m.Name+"-", out)
}

// names returns the programs in the order in which they are built.
func (m Module) names() []string { return slices.Sorted(maps.Keys(m.Programs)) }

// build writes the sources below dir and builds the programs into a folder
// beside them.
func (m Module) build(ctx context.Context, dir string) (bin string, err error) {
	src, bin := filepath.Join(dir, "src"), filepath.Join(dir, "bin")
	if err := errors.Join(os.Mkdir(src, 0o755), os.Mkdir(bin, 0o755)); err != nil {
		return "", err
	}
	if err := txtar.Write(txtar.Parse([]byte(m.Sources)), src); err != nil {
		return "", fmt.Errorf("writing the sources of %s: %w", m.Name, err)
	}
	for _, name := range m.names() {
		pkg := m.Programs[name]
		log, err := process.Child{Dir: src, Env: []string{"CGO_ENABLED=0", "GOWORK=off", "GOTMPDIR=" + dir},
			Args: []string{"go", "build", "-trimpath", "-ldflags", "-s -w " + m.LDFlags,
				"-o", filepath.Join(bin, name), pkg}}.Run(ctx)
		if err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", pkg, err, process.LastLines(log, 20))
		}
	}
	return bin, nil
}

// key is a hash of all that decides what the programs are.
func (m Module) key(goVersion []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s%s\n", goVersion, m.LDFlags)
	for _, n := range m.names() {
		fmt.Fprintln(h, n, m.Programs[n])
	}
	for _, f := range txtar.Parse([]byte(m.Sources)).Files {
		fmt.Fprintln(h, f.Name)
		h.Write(f.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
