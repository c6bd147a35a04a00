// Package debian installs Debian packages in containers at the versions that a
// lock file has, and asks Debian's archive which those are.
package debian

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

//go:embed install.sh
var installScript string

//go:embed simulate.sh
var simulateScript string

// Where apt keeps what no image needs: package lists and archives.
const aptLists, aptCache = "/var/lib/apt/lists", "/var/cache/apt"

// withApt returns what work makes of a container that can install packages,
// without apt's lists and archives.
func withApt(c *dagger.Container, work func(*dagger.Container) *dagger.Container) *dagger.Container {
	c = c.WithMountedTemp(aptLists).WithMountedTemp(aptCache).WithEnvVariable("DEBIAN_FRONTEND", "noninteractive")
	return work(c).WithoutEnvVariable("DEBIAN_FRONTEND").WithoutMount(aptLists).WithoutMount(aptCache)
}

// Install adds packages of img at their locked versions. It fails where one of
// those, or of those that they need, has another version now.
func Install(ctx context.Context, img *recipe.Image, c *dagger.Container, packages []string,
	locked ...map[string]string) (*dagger.Container, error) {
	if len(packages) == 0 {
		return c, nil
	}
	pins := pinLines(locked...)
	c, err := withApt(c, func(c *dagger.Container) *dagger.Container {
		// One command: what one writes to a temporary mount the next does not see.
		return c.WithExec(engine.Shell(installScript, packages...), dagger.ContainerWithExecOpts{Stdin: pins})
	}).Sync(ctx)
	if err != nil {
		return nil, installFault(img, pins, err)
	}
	return c, nil
}

// installFault returns the error that says which package could not be installed as it was locked.
func installFault(img *recipe.Image, pins string, err error) error {
	fault := &diag.Error{
		Kind: diag.Broken, Doing: "installing Debian packages for", Asset: string(img.Name), File: img.File,
		Err: engine.Explain(err),
		Fix: engine.Fix(err, "see that the engine reaches Debian's archive, then run it again"),
	}
	if exec, ok := engine.Failed(err); ok {
		if moved := readMoved(exec.Stdout, pins); len(moved) > 0 {
			fault.Kind, fault.File, fault.Fix = diag.Invalid, lockfile.Path(img), "run: tagline lock "+string(img.Name)
			fault.Err = fmt.Errorf("the archive has moved: %s", strings.Join(moved, "; "))
		}
	}
	return fault
}

// readMoved reads what install.sh prints of packages at other versions than
// their pins: "gcc is 4:14.3 now and locked at 4:14.2".
func readMoved(output, pins string) []string {
	locked := readVersions(pins)
	var moved []string
	for line := range strings.Lines(output) {
		part := strings.Fields(line)
		if len(part) != 3 || part[0] != "MOVED" {
			continue
		}
		was := "not locked"
		if version := locked[part[1]]; version != "" {
			was = "locked at " + version
		}
		moved = append(moved, fmt.Sprintf("%s is %s now and %s", part[1], part[2], was))
	}
	return moved
}

// Tools adds packages to a container that no image is made of: they need no
// pins.
func Tools(c *dagger.Container, packages ...string) *dagger.Container {
	const script = `apt-get update -q -o APT::Update::Error-Mode=any &&
	exec apt-get install -qy --no-install-recommends "$@"`
	return withApt(c, func(c *dagger.Container) *dagger.Container {
		return c.WithExec(engine.Shell(script, packages...))
	})
}

// Resolve returns the versions of packages, and of those that would be
// installed with them on c, as the archive has them this moment. The error is a
// *MissingError where Debian has no such package.
func Resolve(ctx context.Context, c *dagger.Container, packages []string) (map[string]string, error) {
	if len(packages) == 0 {
		return nil, nil
	}
	// The archive's answer of now, not one from a cache.
	c = c.WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano))
	out, err := withApt(c, func(c *dagger.Container) *dagger.Container {
		return c.WithExec(engine.Shell(simulateScript, packages...))
	}).Stdout(ctx)
	if exec, ok := engine.Failed(err); ok {
		if missing := readMissing(exec.Stderr); len(missing) > 0 {
			return nil, &MissingError{missing}
		}
	}
	if err != nil {
		return nil, engine.Explain(err)
	}
	return readVersions(out), nil
}

// Installed returns the versions of a container's packages by name.
func Installed(ctx context.Context, c *dagger.Container) (map[string]string, error) {
	out, err := c.WithExec([]string{"dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"}).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	return readVersions(out), nil
}

// Owners returns the packages that own files, sorted, each once.
func Owners(ctx context.Context, c *dagger.Container, files []string) ([]string, error) {
	var paths []string
	for _, p := range files {
		// /lib is a link to /usr/lib, and dpkg knows files by where they are.
		if !strings.HasPrefix(p, "/usr/") {
			p = "/usr" + p
		}
		paths = append(paths, p)
	}
	out, err := c.WithExec(append([]string{"dpkg-query", "--search"}, paths...)).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	return readOwners(out), nil
}

// readOwners reads the output of dpkg-query --search, "package:amd64: /path" lines: the
// packages, sorted, each once. A path may have several, and lines of its own that say
// from whom it was diverted.
func readOwners(out string) []string {
	var owners []string
	for line := range strings.Lines(out) {
		names, _, found := strings.Cut(line, ": ")
		if !found || strings.HasPrefix(line, "diversion by ") || strings.HasPrefix(line, "local diversion ") {
			continue
		}
		for name := range strings.SplitSeq(names, ", ") {
			name, _, _ = strings.Cut(name, ":") // its architecture
			owners = append(owners, name)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// pinLines writes locked versions as install.sh takes them, sorted.
func pinLines(locked ...map[string]string) string {
	all := map[string]string{}
	for _, m := range locked {
		maps.Copy(all, m)
	}
	var w strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&w, "%s %s\n", name, all[name])
	}
	return w.String()
}

// readVersions reads "name version" lines.
func readVersions(text string) map[string]string {
	versions := map[string]string{}
	for line := range strings.Lines(text) {
		if name, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			versions[name] = version
		}
	}
	return versions
}
