package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Release is the Debian release of every image made here.
const Release = "trixie"

// archives are where this machine gets Debian from, with a final slash.
// Security is empty where it gets no security updates.
type archives struct{ Main, Security string }

// machineArchives returns the archives that apt uses here: images are installed
// from where the machine itself was, so that a site's own mirror serves both. apt
// knows them after an update only.
func machineArchives(ctx context.Context) (archives, error) {
	for _, update := range []bool{false, true} {
		if update {
			if out, err := (process.Child{Args: []string{"apt-get", "update", "-q"}}).Run(ctx); err != nil {
				return archives{}, fmt.Errorf("updating apt's lists: %w\n%s", err, process.LastLines(out, 5))
			}
		}
		out, err := process.Child{Args: []string{
			"apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"}}.Run(ctx)
		if err != nil {
			return archives{}, fmt.Errorf("asking apt for its archives: %w\n%s", err, process.LastLines(out, 5))
		}
		if a := readArchives(out); a.Main != "" {
			return a, nil
		}
	}
	return archives{}, &diag.Error{Kind: diag.Broken, Doing: "looking for Debian's archive",
		Err: errors.New("apt names none that ends in /debian/"), Fix: "add one to /etc/apt/sources.list"}
}

// readArchives reads apt's list of addresses, a line each.
func readArchives(out string) (a archives) {
	for _, uri := range strings.Fields(out) {
		switch {
		case strings.HasSuffix(uri, "/debian/"):
			a.Main = uri
		case strings.HasSuffix(uri, "/debian-security/"):
			a.Security = uri
		}
	}
	return a
}

// sources returns the archives as lines of apt's sources.list.
func (a archives) sources() []string {
	lines := []string{"deb " + a.Main + " " + Release + " main", "deb " + a.Main + " " + Release + "-updates main"}
	if a.Security != "" {
		lines = append(lines, "deb "+a.Security+" "+Release+"-security main")
	}
	return lines
}

// caBundle lets a container trust what this machine trusts.
const caBundle = "/etc/ssl/certs/ca-certificates.crt"

// Epoch (in seconds since 1970) is the newest time of a file in an image, so that
// the same packages make the same image. It is the day of Debian's release.
const Epoch = 1754697600

// EnsureRootfs returns the path of a tar of a Debian root file system with the
// packages. It is made once and kept.
func EnsureRootfs(ctx context.Context, s state.Dir, name string, pkgs ...string) (string, error) {
	out := s.Path("rootfs", name+".tar")
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	if err := process.NeedRoot("making the image "+name, "make Docker Hub reachable"); err != nil {
		return "", err
	}
	if err := EnsurePackages(ctx, "mmdebstrap", "ca-certificates"); err != nil {
		return "", err
	}
	step.Say(ctx, name, "installing Debian "+Release+" into an image")
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", err
	}
	tmp, err := s.MkdirTemp("rootfs")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	from, err := machineArchives(ctx)
	if err != nil {
		return "", err
	}
	finished := filepath.Join(tmp, "rootfs.tar")
	args := []string{"mmdebstrap", "--mode=root", "--variant=minbase", "--include=" + strings.Join(pkgs, ","),
		"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright",
		"--customize-hook=upload " + caBundle + " " + caBundle,
		// What differs from machine to machine: its name and resolver, and who
		// owned apt's folders for files in progress.
		`--customize-hook=rm -rf "$1"/etc/resolv.conf "$1"/etc/hostname` +
			` "$1"/var/cache/apt/archives/partial "$1"/var/lib/apt/lists/partial`,
		Release, finished}
	log, err := process.Child{
		Args:          append(args, from.sources()...),
		Env:           []string{"TMPDIR=" + tmp, fmt.Sprintf("SOURCE_DATE_EPOCH=%d", Epoch)},
		PrivateMounts: true,
	}.Run(ctx)
	if err != nil {
		return "", fmt.Errorf("installing Debian %s: %w\n%s", Release, err, process.LastLines(log, 15))
	}
	return out, os.Rename(finished, out)
}
