package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// baseImage stands in for Docker Hub's image of that name.
const baseImage = "library/debian:" + debianRelease + "-slim"

// pathEnv is an image's PATH, as Debian's has it.
const pathEnv = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// ensureBaseImage puts the base image into the registry, where the engine
// looks for what it would fetch from Docker Hub. It is made once, so its
// digest stays.
func ensureBaseImage(ctx context.Context, o Options, ports shelfPorts) (string, error) {
	dir := o.State.Path("images", "debian")
	if _, err := os.Stat(dir); err != nil {
		tar, err := ensureRootfs(ctx, o, "debian", "ca-certificates")
		if err != nil {
			return "", err
		}
		img, err := debianImage([]string{pathEnv}, tar)
		if err != nil {
			return "", err
		}
		if err := saveLayout(dir, img); err != nil {
			return "", fmt.Errorf("writing %s: %w", dir, err)
		}
	}
	img, err := loadLayout(dir)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", dir, err)
	}
	ref, err := name.ParseReference(fmt.Sprintf("127.0.0.1:%d/%s", ports.Registry, baseImage))
	if err != nil {
		return "", err
	}
	if err := pushOnce(ctx, ref, img); err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	digest, err := img.Digest()
	return fmt.Sprintf("%s/%s@%s", ports.registryAddress(), baseImage, digest), err
}

// debianImage is an image of tars, one layer each, that starts bash.
func debianImage(env []string, tars ...string) (v1.Image, error) {
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
	cfg.Created = v1.Time{Time: time.Unix(rootfsEpoch, 0).UTC()}
	cfg.Config.Env, cfg.Config.Cmd = env, []string{"bash"}
	return mutate.ConfigFile(img, cfg)
}

// saveLayout writes an OCI layout that holds one image, all or nothing.
func saveLayout(dir string, img v1.Image) error {
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

// loadLayout reads the one image of an OCI layout.
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

// pushOnce pushes unless the tag has that digest already.
func pushOnce(ctx context.Context, ref name.Reference, img v1.Image) error {
	want, err := img.Digest()
	if err != nil {
		return err
	}
	desc, err := remote.Head(ref, remote.WithContext(ctx))
	if err == nil && desc.Digest == want {
		return nil
	}
	var refused *transport.Error
	if err != nil && !(errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound) {
		return err
	}
	return remote.Write(ref, img, remote.WithContext(ctx))
}
