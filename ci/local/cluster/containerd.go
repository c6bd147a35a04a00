package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"text/template"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/tagline-ci/tagline/ci/local/debian"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// containerdSocket is inside the node's enclosure.
const containerdSocket = "/run/containerd/containerd.sock"

//go:embed containerd.toml
var containerdTemplate string

// ensureContainerd installs what runs containers. Debian's package would start
// a containerd of its own with the machine, which nobody asked for.
func ensureContainerd(ctx context.Context) error {
	fresh := len(debian.MissingPackages(ctx, "containerd")) > 0
	if err := debian.EnsurePackages(ctx, packages...); err != nil || !fresh {
		return err
	}
	systemctl, err := exec.LookPath("systemctl")
	if err != nil {
		return nil // nothing here starts services
	}
	args := []string{"disable", "containerd.service"}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		args = append(args, "--now")
	}
	if out, err := exec.CommandContext(ctx, systemctl, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("disabling Debian's containerd.service: %w\n%s", err, out)
	}
	return nil
}

// writeContainerd writes what containerd reads.
func (n node) writeContainerd() error {
	t, err := template.New("containerd.toml").Parse(containerdTemplate)
	if err != nil {
		return err
	}
	var config bytes.Buffer
	if err := t.Execute(&config, map[string]string{
		"Root": n.own("containerd"), "Opt": n.own("containerd-opt"),
		"Pause": n.pauseImage(), "Hosts": n.own("hosts"), "Networks": n.own("networks"),
	}); err != nil {
		return err
	}
	networks, err := podNetwork(n.Pods)
	if err != nil {
		return err
	}
	return errors.Join(
		state.WriteFile(n.own("containerd.toml"), config.Bytes(), 0o644),
		state.WriteFile(n.own("hosts", n.Registry, "hosts.toml"), hostsFile(n.Registry), 0o644),
		state.WriteFile(n.own("networks", "10-pods.conflist"), networks, 0o644),
	)
}

// hostsFile says that a registry speaks plain HTTP.
func hostsFile(registry string) []byte {
	return fmt.Appendf(nil, "server = %q\n\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n",
		"http://"+registry, "http://"+registry)
}

// pauseImage is what holds the namespaces of each pod.
func (c cluster) pauseImage() string { return c.Registry + "/tagline/pause:1" }

// pushPause puts the pause program into the registry as an image.
func (c cluster) pushPause(ctx context.Context, program string) error {
	image, err := programImage(program)
	if err != nil {
		return err
	}
	if err := shelf.Push(ctx, c.pauseImage(), image); err != nil {
		return fmt.Errorf("pushing the sandbox image: %w", err)
	}
	return nil
}

// programImage is an image of one static program, which it runs. The same
// program has the same digest.
func programImage(path string) (v1.Image, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(b))}); err != nil {
		return nil, err
	}
	_, err1 := w.Write(b)
	if err := errors.Join(err1, w.Close()); err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layer.Bytes())), nil
	})
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, err
	}
	return mutate.Config(image, v1.Config{Entrypoint: []string{"/program"}})
}
