package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// BaseImage is the name of the base image in Docker Hub.
const BaseImage = "library/debian:" + Release + "-slim"

// ImagePath is an image's PATH, as Debian's has it.
const ImagePath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// EnsureBaseImage returns an image that stands in for Docker Hub's BaseImage.
// It is made once, so its digest stays.
func EnsureBaseImage(ctx context.Context, s state.Dir) (v1.Image, error) {
	return EnsureImage(s.Path("images", "debian"), func() (v1.Image, error) {
		rootfs, err := EnsureRootfs(ctx, s, "debian", "ca-certificates")
		if err != nil {
			return nil, err
		}
		return NewImage([]string{ImagePath}, rootfs)
	})
}

// NewImage returns an image of tars (paths), one layer each, that starts bash.
// env are NAME=value pairs.
func NewImage(env []string, tars ...string) (v1.Image, error) {
	img := empty.Image
	for _, tar := range tars {
		layer, err := tarball.LayerFromFile(tar, tarball.WithCompressionLevel(1))
		if err != nil {
			return nil, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return nil, err
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = "linux", "amd64"
	cfg.Created = v1.Time{Time: time.Unix(Epoch, 0).UTC()}
	cfg.Config.Env, cfg.Config.Cmd = env, []string{"bash"}
	return mutate.ConfigFile(img, cfg)
}

// EnsureImage returns the one image of the OCI layout at dir. It is built when
// there is none, and written all or nothing.
func EnsureImage(dir string, build func() (v1.Image, error)) (v1.Image, error) {
	if !state.Exists(dir) {
		img, err := build()
		if err != nil {
			return nil, err
		}
		if err := saveLayout(dir, img); err != nil {
			return nil, fmt.Errorf("writing %s: %w", dir, err)
		}
	}
	img, err := loadLayout(dir)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	return img, nil
}

func saveLayout(dir string, img v1.Image) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp := dir + ".building"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	path, err := layout.Write(tmp, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendImage(img); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

func loadLayout(dir string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) != 1 {
		return nil, fmt.Errorf("%d images, want 1", len(m.Manifests))
	}
	return index.Image(m.Manifests[0].Digest)
}
