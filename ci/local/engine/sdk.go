package engine

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/ci/local/debian"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// sdk is the image that the engine builds and runs Go modules in, as an OCI
// layout.
type sdk struct {
	Content string // folder of the layout
	Digest  string // of its manifest: "sha256:…"
}

// codegen is called in place of the code generator, and calls it.
//
//go:embed codegen.sh
var codegen string

// goCommand is called in place of go by the code generator, and calls it.
//
//go:embed go.sh
var goCommand string

// What a Go module may need beside Go when its dependencies are fetched.
var sdkPackages = []string{"ca-certificates", "git", "openssh-client"}

// sdkParts is what the image is made of.
type sdkParts struct {
	Rootfs string   // tar of a Debian root file system
	Bin    string   // folder of the code generator
	Goroot string   // this machine's Go
	Go     string   // its version: "go1.26.8"
	Env    []string // see goSettings
}

// ensureSDK makes the SDK image from Debian, this machine's Go and the code
// generator in bin.
func ensureSDK(ctx context.Context, s state.Dir, bin, rootfs string) (sdk, error) {
	p := sdkParts{Rootfs: rootfs, Bin: bin}
	var err error
	if p.Goroot, p.Go, err = goInstallation(ctx); err != nil {
		return sdk{}, err
	}
	if p.Env, err = goSettings(ctx); err != nil {
		return sdk{}, err
	}
	dir := s.Path("sdk", p.key())
	tmp, err := s.MkdirTemp("sdk")
	if err != nil {
		return sdk{}, err
	}
	defer os.RemoveAll(tmp)
	img, err := debian.EnsureImage(dir, func() (v1.Image, error) {
		step.Say(ctx, "engine", "making the image that Go modules run in")
		return p.image(ctx, tmp)
	})
	if err != nil {
		return sdk{}, fmt.Errorf("making the image that Go modules run in: %w", err)
	}
	if err := state.RemoveOthers("", dir); err != nil {
		return sdk{}, err
	}
	digest, err := img.Digest()
	return sdk{Content: dir, Digest: digest.String()}, err
}

// key is a hash of what decides the image.
func (p sdkParts) key() string {
	words := append([]string{filepath.Base(p.Bin) + p.Go, codegen, goCommand}, sdkPackages...)
	sum := sha256.Sum256([]byte(strings.Join(append(words, p.Env...), " ")))
	return hex.EncodeToString(sum[:6])
}

func goInstallation(ctx context.Context) (root, version string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return "", "", fmt.Errorf("asking go for its root: %w", err)
	}
	f := strings.Fields(string(out))
	if len(f) != 2 {
		return "", "", fmt.Errorf("asking go for its root: it prints %q", out)
	}
	return f[0], f[1], nil
}

// goSettings returns the settings by which Go finds modules here, where they are
// not Go's own: a site's proxy, for one. Modules in the engine need them too.
func goSettings(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "-changed", "-json",
		"GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOINSECURE").Output()
	if err != nil {
		return nil, fmt.Errorf("asking go for its settings: %w", err)
	}
	var changed map[string]string
	if err := json.Unmarshal(out, &changed); err != nil {
		return nil, fmt.Errorf("asking go for its settings: %w", err)
	}
	var env []string
	for name, value := range changed {
		env = append(env, name+"="+value)
	}
	sort.Strings(env)
	return env, nil
}

// image returns the image; a layer of it stays in the directory tmp until the
// image has been written.
func (p sdkParts) image(ctx context.Context, tmp string) (v1.Image, error) {
	layer := filepath.Join(tmp, "go.tar")
	if err := p.writeLayer(ctx, layer); err != nil {
		return nil, err
	}
	env := append(p.Env, debian.ImagePath+":/usr/local/go/bin:/go/bin", "GOPATH=/go", "GOTOOLCHAIN=local",
		"DAGGER_VERSION="+version)
	return debian.NewImage(env, p.Rootfs, layer)
}

// writeLayer writes a tar of Go, the code generator and the folders that the
// engine mounts its caches over, which it wants to be there.
func (p sdkParts) writeLayer(ctx context.Context, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := tar.NewWriter(f)
	if err := tarTree(ctx, w, p.Goroot, "usr/local/go", "test", "api", "doc", "misc"); err != nil {
		return err
	}
	if err := tarFile(w, filepath.Join(p.Bin, "codegen"), "usr/local/libexec/codegen"); err != nil {
		return err
	}
	if err := tarScript(w, "usr/local/bin/codegen", codegen); err != nil {
		return err
	}
	if err := tarScript(w, "usr/local/libexec/go/go", goCommand); err != nil {
		return err
	}
	for _, d := range []string{"go/", "go/pkg/", "go/pkg/mod/", "root/.cache/", "root/.cache/go-build/"} {
		if err := w.WriteHeader(&tar.Header{Name: d, Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			return err
		}
	}
	return w.Close()
}

// tarTree adds a directory under another name, without some of its entries.
func tarTree(ctx context.Context, w *tar.Writer, dir, as string, without ...string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		for _, skip := range without {
			if rel == skip {
				return filepath.SkipDir
			}
		}
		if d.IsDir() {
			return w.WriteHeader(&tar.Header{Name: filepath.Join(as, rel) + "/", Typeflag: tar.TypeDir, Mode: 0o755})
		}
		return tarFile(w, path, filepath.Join(as, rel))
	})
}

// tarScript adds a program whose text is here.
func tarScript(w *tar.Writer, as, text string) error {
	if err := w.WriteHeader(&tar.Header{Name: as, Mode: 0o755, Size: int64(len(text))}); err != nil {
		return err
	}
	_, err := io.WriteString(w, text)
	return err
}

// tarFile adds one file, owned by root and without a time.
func tarFile(w *tar.Writer, path, as string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	target, _ := os.Readlink(path) // "" for all but links
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	h.Name, h.ModTime = as, time.Unix(debian.Epoch, 0)
	h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
	if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
