// Package runtimeimage computes what a runtime image needs of its developer
// image: the IOC, the shared objects it loads, the files it reads, and the
// Debian packages that own what is of the system.
package runtimeimage

import (
	"context"
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

//go:embed files.sh
var filesScript string

//go:embed strip.sh
var stripScript string

// programs are those of EPICS Base that every runtime image has: caget and pvget
// to ask the IOC with, and caRepeater, which every Channel Access client starts,
// an IOC with a CA link too.
var programs = []string{layout.Program("caget"), layout.Program("pvget"), layout.Program("caRepeater")}

// debianOnly is what to do when an image does not know its packages.
const debianOnly = "build on a Debian image, and see that the engine runs"

// binary is the IOC's program.
const binary = layout.IOC + "/bin/" + layout.HostArch + "/ioc"

// Computer computes one runtime image.
type Computer struct {
	Tree      *recipe.Tree
	Image     *recipe.Image
	Lock      *lockfile.Lock
	Developer *dagger.Container // of the image
	// The developer image before anything was built in it: it has the same Debian packages, and
	// the engine knows its answers when a module has changed.
	Packages *dagger.Container
	Parent   *dagger.Container // the runtime image of what the image is built on
}

// Compute returns the runtime image: its parent's with the IOC, the shared
// objects it loads, databases and dbds, and the Debian packages that own any
// other library; nothing that the parent has already.
func (r Computer) Compute(ctx context.Context) (*dagger.Container, error) {
	have, err := r.Parent.Rootfs().Glob(ctx, "epics/**")
	if err != nil {
		return nil, fmt.Errorf("reading the parent's runtime image: %w", err)
	}
	binaries := slices.Clone(programs)
	if r.Image.IOC != nil {
		binaries = append(binaries, binary, layout.Run, layout.Ask)
	}
	data, built, system, err := r.files(ctx, binaries)
	if err != nil {
		return nil, err
	}
	run := r.Parent
	if r.Image.IOC != nil && slices.Contains(have, "epics/ioc/ioc") { // of the IOC it is built on
		run = run.WithoutDirectory(layout.IOC).WithoutDirectory(layout.RunFolder)
		have = slices.DeleteFunc(have, func(p string) bool {
			return strings.HasPrefix(p, "epics/ioc/") || strings.HasPrefix(p, "epics/ioc-run/")
		})
	}
	paths := slices.DeleteFunc(slices.Concat(binaries, built, data), func(p string) bool {
		return slices.Contains(have, strings.TrimPrefix(p, "/"))
	})
	if run, err = r.packages(ctx, run, system); err != nil {
		return nil, err
	}
	empty := slices.DeleteFunc([]string{layout.Config, layout.Autosave}, func(p string) bool {
		return slices.Contains(have, strings.TrimPrefix(p, "/")+"/")
	})
	if len(paths)+len(empty) > 0 {
		files, err := r.stripped(paths, empty).Sync(ctx)
		if err != nil {
			return nil, r.fault("copying the files of the runtime image of", engine.Explain(err),
				engine.Fix(err, "its developer image needs what the command lacks: the Debian package binutils has strip"))
		}
		run = run.WithDirectory("/", files)
	}
	return r.configured(run), nil
}

// configured returns the runtime image with its environment and command.
func (r Computer) configured(run *dagger.Container) *dagger.Container {
	run = run.
		WithEnvVariable("EPICS_HOST_ARCH", layout.HostArch).
		WithEnvVariable("PATH", layout.SearchPath)
	if r.Image.IOC == nil {
		return run
	}
	if r.Image.Startup.Within != "" {
		run = run.WithEnvVariable("IOC_RUN_WITHIN", r.Image.Startup.Within)
	}
	return run.
		WithEnvVariable("EPICS_DB_INCLUDE_PATH", DatabasePath(r.Tree, r.Image)).
		WithEnvVariable("EPICS_IOCSH_HISTFILE", "/tmp/.iocsh_history"). // the config folder is read-only
		WithWorkdir(layout.Config).
		WithLabel(startup.Label, r.Image.Startup.String()).
		WithEntrypoint([]string{layout.Run, layout.IOC + "/ioc"}).
		WithDefaultArgs([]string{"st.cmd"}).
		WithUser("1000:1000")
}

// DatabasePath returns where img's IOC looks for databases that its start-up
// script names: its config folder, from which it runs, then what the modules
// bring. EPICS Base looks in no folder but these once the variable is set.
func DatabasePath(tree *recipe.Tree, img *recipe.Image) string {
	dirs := []string{"."}
	for _, name := range slices.Backward(tree.IOCModules(img)) {
		dirs = append(dirs, layout.Module(name)+"/db")
	}
	return strings.Join(dirs, ":")
}

// files returns, as absolute paths, sorted: the files that the IOC reads, which are its
// dbd, the databases of its modules, and what else their recipes name; and the shared
// objects that it and the other binaries load, those built in the hierarchy and those of
// the system. A shared object among the files is one that the IOC loads when a start-up
// script asks for it. A module without databases has no db; that it has the others was seen.
func (r Computer) files(ctx context.Context, binaries []string) (data, built, system []string, err error) {
	args := append([]string{strconv.Itoa(len(binaries))}, binaries...)
	if r.Image.IOC != nil {
		args = append(args, layout.IOC+"/dbd/ioc.dbd")
		for _, name := range r.Tree.IOCModules(r.Image) {
			for _, p := range append([]string{"db"}, r.Tree.Modules[name].Files...) {
				args = append(args, path.Join(layout.Module(name), p))
			}
		}
	}
	out, err := r.Developer.WithExec(engine.Shell(filesScript, args...)).Stdout(ctx)
	if err != nil {
		return nil, nil, nil, r.fault("building the IOC of", engine.Explain(err),
			engine.Fix(err, "see that its source builds the program ioc for "+layout.HostArch))
	}
	names, ldd, _ := strings.Cut(out, "\n\n")
	loaded, missing := readLdd(ldd)
	if len(missing) > 0 {
		return nil, nil, nil, r.fault("finding the shared objects of",
			fmt.Errorf("not found: %s", strings.Join(missing, ", ")), "add the module or Debian package that has them")
	}
	for _, p := range loaded {
		if strings.HasPrefix(p, "/epics/") {
			built = append(built, p)
		} else {
			system = append(system, p)
		}
	}
	return strings.FieldsFunc(names, func(c rune) bool { return c == '\n' }), built, system, nil
}

// stripped returns the files at paths of the developer image without symbols,
// which that image keeps, the link to the IOC's binary, and empty folders. They go to a
// folder of their own: one that was mounted would have the layers with the symbols
// below. It is one layer of the image, with no times in it but a fixed one.
func (r Computer) stripped(paths, empty []string) *dagger.Directory {
	const folder = "/tmp/stripped"
	ioc := ""
	if r.Image.IOC != nil {
		ioc = layout.IOC
	}
	args := append([]string{folder, strconv.Itoa(layout.Time), ioc}, empty...)
	names := dagger.ContainerWithExecOpts{Stdin: strings.Join(paths, "\n") + "\n"}
	return r.Developer.WithExec(engine.Shell(stripScript, args...), names).Directory(folder)
}

// packages installs the Debian packages that own the system's libraries and
// that run lacks, with those the recipe asks for: at the versions that the
// developer image has, or that are locked.
func (r Computer) packages(ctx context.Context, run *dagger.Container, libraries []string) (*dagger.Container, error) {
	owners, err := debian.Owners(ctx, r.Packages, libraries)
	if err != nil {
		return nil, r.fault("finding the Debian packages of", err,
			"build each library that it loads in a support module, or take it from a Debian package")
	}
	has, err := debian.Installed(ctx, run)
	if err != nil {
		return nil, r.fault("listing the Debian packages of", err, debianOnly)
	}
	known, err := debian.Installed(ctx, r.Packages)
	if err != nil {
		return nil, r.fault("listing the Debian packages of", err, debianOnly)
	}
	need := slices.Concat(r.Image.Run, owners)
	slices.Sort(need)
	need = slices.DeleteFunc(slices.Compact(need), func(p string) bool { return has[p] != "" })
	return debian.Install(ctx, r.Image, run, need, r.Lock.Packages.Run, known)
}

// fault returns the error of a failure about the image.
func (r Computer) fault(doing string, err error, fix string) error {
	return &diag.Error{
		Kind: diag.Broken, Doing: doing, Asset: string(r.Image.Name), File: r.Image.File, Err: err, Fix: fix,
	}
}
