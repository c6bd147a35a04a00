package image

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

//go:embed install.sh
var installScript string

// Where apt keeps what no image needs: package lists and archives.
const aptLists, aptCache = "/var/lib/apt/lists", "/var/cache/apt"

// apt gives a container that can install packages; what done makes of it has
// none of apt's lists and archives.
func apt(c *dagger.Container, done func(*dagger.Container) *dagger.Container) *dagger.Container {
	c = c.WithMountedTemp(aptLists).WithMountedTemp(aptCache).WithEnvVariable("DEBIAN_FRONTEND", "noninteractive")
	return done(c).WithoutEnvVariable("DEBIAN_FRONTEND").WithoutMount(aptLists).WithoutMount(aptCache)
}

// install adds Debian packages at their pins: "name version" lines. It fails
// where one of those, or of what they need, has another version now.
func (b Builder) install(ctx context.Context, img *recipe.Image, c *dagger.Container, packages []string, pins string) (*dagger.Container, error) {
	if len(packages) == 0 {
		return c, nil
	}
	c = apt(c, func(c *dagger.Container) *dagger.Container {
		// One command: what one writes to a temporary mount the next does not see.
		return c.WithExec(append([]string{"sh", "-c", installScript, "sh"}, packages...), dagger.ContainerWithExecOpts{Stdin: pins})
	})
	c, err := c.Sync(ctx)
	if err != nil {
		return nil, b.packageFault(img, pins, err)
	}
	return c, nil
}

// packageFault says which package could not be installed as it was locked.
func (b Builder) packageFault(img *recipe.Image, pins string, err error) error {
	exec, ok := asExec(err)
	if !ok {
		return err
	}
	var moved []string
	for line := range strings.Lines(exec.Stdout) {
		part := strings.Fields(line)
		if len(part) != 3 || part[0] != "MOVED" {
			continue
		}
		was := "not locked"
		for pin := range strings.Lines(pins) {
			if name, version, _ := strings.Cut(strings.TrimSpace(pin), " "); name == part[1] {
				was = "locked at " + version
			}
		}
		moved = append(moved, fmt.Sprintf("%s is %s now and %s", part[1], part[2], was))
	}
	if len(moved) == 0 {
		return &diag.Error{Kind: diag.Broken, Doing: "installing Debian packages for", Asset: img.Name, File: img.File, Err: explain(exec)}
	}
	return &diag.Error{Kind: diag.Invalid, Doing: "installing Debian packages for", Asset: img.Name, File: img.LockPath(), Err: fmt.Errorf("the archive has moved: %s", strings.Join(moved, "; ")), Fix: "run: tagline lock " + img.Name}
}

// Tools adds Debian packages to a container that no image is made of: they need
// no pins.
func Tools(c *dagger.Container, packages ...string) *dagger.Container {
	return apt(c, func(c *dagger.Container) *dagger.Container {
		return c.WithExec(append([]string{"sh", "-c", `apt-get update -q && exec apt-get install -qy --no-install-recommends "$@"`, "sh"}, packages...))
	})
}

// pins writes locked versions as install takes them, sorted.
func pins(locked ...map[string]string) string {
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

// installed gives the versions of a container's Debian packages by name.
func installed(ctx context.Context, c *dagger.Container) (map[string]string, error) {
	out, err := c.WithExec([]string{"dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"}).Stdout(ctx)
	if err != nil {
		return nil, explain(err)
	}
	return versions(out), nil
}

// versions reads "name version" lines.
func versions(out string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(out) {
		if name, version, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all[name] = version
		}
	}
	return all
}
