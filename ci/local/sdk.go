package local

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// sdk is the image that the engine builds and runs Go modules in, as an OCI
// layout.
type sdk struct {
	Content string // folder of the layout
	Digest  string // of its manifest: "sha256:…"
}

// What a Go module may need beside Go when its dependencies are fetched.
var sdkPackages = []string{"ca-certificates", "git", "openssh-client"}

// ensureSDK makes the SDK image from Debian, this machine's Go and the code
// generator in bin. rootfs is waited for, so that it can be made meanwhile.
func ensureSDK(ctx context.Context, o Options, bin, rootfs string) (sdk, error) {
	goroot, version, err := goInstallation(ctx)
	if err != nil {
		return sdk{}, err
	}
	key := sha256.Sum256([]byte(filepath.Base(bin) + version + strings.Join(sdkPackages, " ")))
	dir := o.State.Path("sdk", hex.EncodeToString(key[:6]))
	if _, err := os.Stat(dir); err != nil {
		o.Progress("engine", "making the image that Go modules run in")
		if err := makeSDK(ctx, dir, goroot, bin, rootfs); err != nil {
			return sdk{}, fmt.Errorf("making the image that Go modules run in: %w", err)
		}
		if err := removeOthers(filepath.Dir(dir), "", dir); err != nil {
			return sdk{}, err
		}
	}
	img, err := loadLayout(dir)
	if err != nil {
		return sdk{}, fmt.Errorf("reading %s: %w", dir, err)
	}
	digest, err := img.Digest()
	return sdk{Content: dir, Digest: digest.String()}, err
}

func goInstallation(ctx context.Context) (root, version string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return "", "", fmt.Errorf("asking go for its root: %w", err)
	}
	f := strings.Fields(string(out))
	if len(f) != 2 {
		return "", "", fmt.Errorf("asking go for its root: it says %q", out)
	}
	return f[0], f[1], nil
}

func makeSDK(ctx context.Context, dir, goroot, bin, rootfs string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	layer, err := os.CreateTemp(filepath.Dir(dir), ".layer-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(layer.Name())
	defer layer.Close()
	w := tar.NewWriter(layer)
	if err := tarTree(ctx, w, goroot, "usr/local/go", "test", "api", "doc", "misc"); err != nil {
		return err
	}
	if err := tarFile(w, filepath.Join(bin, "codegen"), "usr/local/bin/codegen"); err != nil {
		return err
	}
	// The engine mounts its caches over these, and wants them to be there.
	for _, d := range []string{"go/", "go/pkg/", "go/pkg/mod/", "root/.cache/", "root/.cache/go-build/"} {
		if err := w.WriteHeader(&tar.Header{Name: d, Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	img, err := debianImage([]string{pathEnv + ":/usr/local/go/bin:/go/bin",
		"GOPATH=/go", "GOTOOLCHAIN=local"}, rootfs, layer.Name())
	if err != nil {
		return err
	}
	return saveLayout(dir, img)
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
	h.Name, h.ModTime = as, time.Unix(rootfsEpoch, 0)
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
