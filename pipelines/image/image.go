package image

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
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

// Builder describes the images of one tree.
type Builder struct {
	Client  *dagger.Client
	Files   fs.FS // the tree at the commit that is built
	Tree    *recipe.Tree
	Mirrors Mirrors
	Locks   map[string]*recipe.Lock // by image: of those to build, and of those they are built on in the tree

	base string // the root's container image, by digest
}

// Image is an image described: nothing runs until its containers are asked.
type Image struct {
	Base               string // the hierarchy's root container image, by digest
	Developer, Runtime *dagger.Container
	Sources            []record.Source // of the modules built in this image
}

// Target gives the container of a target.
func (i *Image) Target(target asset.Target) *dagger.Container {
	if target == asset.Developer {
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
// It looks whether refs still point to what is locked, and asks the developer
// image which files its IOC opens, so it needs the engine and the sources.
func (b Builder) Build(ctx context.Context, img *recipe.Image, parent *Image) (*Image, error) {
	lock := b.Locks[img.Name]
	if parent == nil {
		parent = Released(b.Client, lock.Base, lock.Base, lock.Base)
		if _, err := parent.Runtime.Sync(ctx); err != nil {
			return nil, b.unreachable(img, lock.Base, err)
		}
	}
	b.base = parent.Base
	built := &Image{Base: parent.Base}
	dev, err := b.install(ctx, img, parent.Developer, b.Tree.Packages(img), pins(lock.Packages.Build))
	if err != nil {
		return nil, err
	}
	dev = dev.
		WithEnvVariable("EPICS_BASE", baseDir).
		WithEnvVariable("EPICS_HOST_ARCH", hostArch).
		WithEnvVariable("PATH", searchPath).
		WithWorkdir("/epics")
	if err := b.compilers(ctx, img, dev); err != nil {
		return nil, err
	}
	if dev, built.Sources, err = b.modules(ctx, img, dev); err != nil {
		return nil, err
	}
	if img.IOC != nil {
		if dev, err = b.ioc(ctx, img, dev); err != nil {
			return nil, err
		}
	}
	built.Developer = dev
	built.Runtime, err = b.runtime(ctx, img, dev, parent.Runtime)
	return built, err
}

// unreachable says that the root's container image can't be pulled.
func (b Builder) unreachable(img *recipe.Image, ref string, err error) error {
	return &diag.Error{Kind: diag.Broken, Doing: "pulling " + ref + " for", Asset: img.Name, File: img.File, Err: explain(err), Fix: "check that the engine reaches the image's registry"}
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
	return fmt.Errorf("%s: exit status %d\n  %s", named(exec.Cmd), exec.ExitCode, strings.Join(lines, "\n  "))
}

// named is a command as a person knows it: a script by the program it is about.
func named(cmd []string) string {
	if len(cmd) > 2 && cmd[0] == "sh" && cmd[1] == "-c" {
		script := strings.TrimPrefix(cmd[2], "exec ")
		program, _, _ := strings.Cut(script, " ")
		if program == "make" {
			return program
		}
		if strings.Contains(script, "\n") {
			return strings.Join(append([]string{"sh -c …"}, cmd[3:]...), " ")
		}
	}
	return strings.Join(cmd, " ")
}
