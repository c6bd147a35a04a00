// Package debian is what comes from Debian: packages of the machine, root file
// systems and images, and sources that Debian has where their own host is out
// of reach.
package debian

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

var installing sync.Mutex // dpkg takes one at a time

// EnsurePackages installs the Debian packages that are missing. Anyone but
// root gets one error that lists them.
func EnsurePackages(ctx context.Context, pkgs ...string) error {
	installing.Lock()
	defer installing.Unlock()
	missing := MissingPackages(ctx, pkgs...)
	if len(missing) == 0 {
		return nil
	}
	list := strings.Join(missing, " ")
	if os.Geteuid() != 0 {
		return &diag.Error{Kind: diag.Broken, Doing: "installing Debian packages",
			Err: fmt.Errorf("%s missing and this is not root", list),
			Fix: "run as root: apt-get install " + list}
	}
	step.Say(ctx, "packages", "installing "+list)
	if err := aptInstall(ctx, missing); err == nil {
		return nil
	}
	// An earlier installation may have been cut short, and package lists age:
	// a version that they name may be gone.
	if out, err := (process.Child{Args: []string{"dpkg", "--configure", "-a"}}).Run(ctx); err != nil {
		return fmt.Errorf("finishing an earlier installation: %w\n%s", err, process.LastLines(out, 10))
	}
	if out, err := apt(ctx, "update"); err != nil {
		return fmt.Errorf("updating package lists: %w\n%s", err, out)
	}
	return aptInstall(ctx, missing)
}

// MissingPackages returns those that are not installed. dpkg exits with 1 when it
// does not know one.
func MissingPackages(ctx context.Context, pkgs ...string) []string {
	query := append([]string{"-W", "-f", "${Package} ${Status}\n"}, pkgs...)
	out, _ := exec.CommandContext(ctx, "dpkg-query", query...).Output()
	installed := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		if name, ok := strings.CutSuffix(line, " install ok installed"); ok {
			installed[name] = true
		}
	}
	var missing []string
	for _, p := range pkgs {
		if !installed[p] {
			missing = append(missing, p)
		}
	}
	return missing
}

func aptInstall(ctx context.Context, pkgs []string) error {
	out, err := apt(ctx, append([]string{"install", "-y", "--no-install-recommends"}, pkgs...)...)
	if err != nil {
		return fmt.Errorf("installing %s: %w\n%s", strings.Join(pkgs, " "), err, process.LastLines(out, 10))
	}
	return nil
}

// apt runs apt-get; a daemon that a package brings is not started.
func apt(ctx context.Context, args ...string) (string, error) {
	return process.Child{Env: []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"},
		Args: append([]string{"apt-get", "-q"}, args...)}.Run(ctx)
}
