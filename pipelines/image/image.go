package image

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Where things are inside images; see docs/design.md. EPICS links absolute
// paths, so a runtime image has them at the same places as its developer image.
const (
	baseDir    = "/epics/epics-base"
	supportDir = "/epics/support/"
	iocDir     = "/epics/ioc"
	// ConfigDir is where an IOC instance's config folder is mounted.
	ConfigDir = "/epics/config"
	hostArch  = "linux-x86_64"
	// searchPath is PATH in every image: EPICS Base's programs first.
	searchPath = baseDir + "/bin/" + hostArch + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// The two targets of every image.
const (
	Developer = "developer"
	Runtime   = "runtime"
)

// Builder describes the images of one tree.
type Builder struct {
	Client  *dagger.Client
	Files   fs.FS // the tree at the commit that is built
	Tree    *recipe.Tree
	Mirrors Mirrors

	base string // the root's container image, by digest, once resolved
}

// Image is an image described: nothing runs until its containers are asked.
type Image struct {
	Base               string // the hierarchy's root container image, by digest
	Developer, Runtime *dagger.Container
	Sources            []record.Source // of the modules built in this image
}

// Target gives the container of a target.
func (i *Image) Target(target string) *dagger.Container {
	if target == Developer {
		return i.Developer
	}
	return i.Runtime
}

// Released gives an image that was released before, from the registry, by the
// digests of its two targets and of the root container image.
func Released(client *dagger.Client, developer, runtime, base string) *Image {
	return &Image{Base: base, Developer: client.Container().From(developer), Runtime: client.Container().From(runtime)}
}

// Build describes img on parent; parent is nil for the root of the hierarchy.
// It looks up what refs and tags point to now, and asks the developer image
// which files its IOC opens, so it needs the engine and the sources.
func (b Builder) Build(ctx context.Context, img *recipe.Image, parent *Image) (*Image, error) {
	if parent == nil {
		ref, err := b.Client.Container().From(img.Base).ImageRef(ctx)
		if err != nil {
			return nil, &diag.Error{Kind: diag.Broken, Doing: "pulling " + img.Base + " for", Asset: img.Name, File: img.File, Err: explain(err), Fix: "check that the engine reaches the image's registry"}
		}
		parent = Released(b.Client, ref, ref, ref)
	}
	b.base = parent.Base
	built := &Image{Base: parent.Base}
	dev := b.install(parent.Developer, b.packages(img)).
		WithEnvVariable("EPICS_BASE", baseDir).
		WithEnvVariable("EPICS_HOST_ARCH", hostArch).
		WithEnvVariable("PATH", searchPath).
		WithWorkdir("/epics")
	var err error
	if dev, built.Sources, err = b.modules(ctx, img, dev); err != nil {
		return nil, err
	}
	if img.IOC != nil {
		if dev, err = b.ioc(img, dev); err != nil {
			return nil, err
		}
	}
	built.Developer = dev
	built.Runtime, err = b.runtime(ctx, img, dev, parent.Runtime)
	return built, err
}

// packages are the Debian packages of img's developer image: its own and those
// of the modules built in it, sorted.
func (b Builder) packages(img *recipe.Image) []string {
	all := slices.Clone(img.Build)
	for _, ref := range img.Modules {
		all = append(all, b.Tree.Modules[ref.Name].Packages...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// install adds Debian packages; the package lists and archives stay out of the
// image.
func (b Builder) install(c *dagger.Container, packages []string) *dagger.Container {
	if len(packages) == 0 {
		return c
	}
	const lists, archives = "/var/lib/apt/lists", "/var/cache/apt"
	return c.WithMountedTemp(lists).WithMountedTemp(archives).
		WithEnvVariable("DEBIAN_FRONTEND", "noninteractive").
		// One command: what one writes to a temporary mount the next does not see.
		WithExec(append([]string{"sh", "-c", `apt-get update -q && exec apt-get install -qy --no-install-recommends "$@"`, "sh"}, packages...)).
		WithoutEnvVariable("DEBIAN_FRONTEND").
		WithoutMount(lists).WithoutMount(archives)
}

// place is where a module lives in an image.
func place(module string) string {
	if module == "epics-base" {
		return baseDir
	}
	return supportDir + module
}

// explain turns an engine's error about a command into its last lines; the
// engine's own text hides them.
func explain(err error) error {
	exec, ok := asExec(err)
	if !ok {
		return err
	}
	lines := telling(exec.Stdout + "\n" + exec.Stderr)
	return fmt.Errorf("%s: exit status %d\n  %s", strings.Join(exec.Cmd, " "), exec.ExitCode, strings.Join(lines, "\n  "))
}
