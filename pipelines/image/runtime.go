package image

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// clients are the programs of EPICS Base that every runtime image has: probes
// ask the IOC with them.
var clients = []string{baseDir + "/bin/" + hostArch + "/caget", baseDir + "/bin/" + hostArch + "/pvget"}

// runtime computes img's runtime container on its parent's (run): the IOC, the
// shared objects it loads, databases and dbds, and the Debian packages that own
// any other library; nothing that the parent has already.
func (b Builder) runtime(ctx context.Context, img *recipe.Image, dev, run *dagger.Container) (*dagger.Container, error) {
	have, err := run.Rootfs().Glob(ctx, "epics/**")
	if err != nil {
		return nil, fmt.Errorf("reading the parent's runtime image: %w", err)
	}
	binaries := clients
	if img.IOC != nil {
		binaries = append(slices.Clone(clients), iocDir+"/bin/"+hostArch+"/ioc")
	}
	data, objects, err := b.data(ctx, img, dev)
	if err != nil {
		return nil, err
	}
	built, system, err := b.objects(ctx, img, dev, append(slices.Clone(binaries), objects...))
	if err != nil {
		return nil, err
	}
	if img.IOC != nil && slices.Contains(have, "epics/ioc/ioc") { // of the IOC it is built on
		run = run.WithoutDirectory(iocDir)
		have = slices.DeleteFunc(have, func(p string) bool { return strings.HasPrefix(p, "epics/ioc/") })
	}
	paths := slices.DeleteFunc(slices.Concat(binaries, built, data), func(p string) bool {
		return slices.Contains(have, strings.TrimPrefix(p, "/"))
	})
	if run, err = b.complete(ctx, img, dev, run, system); err != nil {
		return nil, err
	}
	if len(paths) > 0 {
		run = run.WithDirectory("/", b.strip(dev, paths))
	}
	run = run.
		WithDirectory(ConfigDir, b.Client.Directory()).
		WithDirectory("/epics/autosave", b.Client.Directory()).
		WithEnvVariable("EPICS_HOST_ARCH", hostArch).
		WithEnvVariable("PATH", searchPath)
	if img.IOC == nil {
		return run, nil
	}
	return run.WithSymlink("bin/"+hostArch+"/ioc", iocDir+"/ioc").
		WithEnvVariable("EPICS_DB_INCLUDE_PATH", b.dbPath(img)).
		WithEnvVariable("EPICS_IOCSH_HISTFILE", "/tmp/.iocsh_history"). // the config folder is read-only
		WithWorkdir(ConfigDir).
		WithEntrypoint([]string{iocDir + "/ioc"}).
		WithDefaultArgs([]string{"st.cmd"}).
		WithUser("1000:1000"), nil
}

// data gives the files that the IOC reads, by path, sorted: its dbd, the databases
// of its modules, and what else these say. The shared objects among them are
// given too: the IOC loads them when a start-up script asks for it.
func (b Builder) data(ctx context.Context, img *recipe.Image, dev *dagger.Container) (files, objects []string, err error) {
	if img.IOC == nil {
		return nil, nil, nil
	}
	look := []string{iocDir + "/dbd/ioc.dbd"}
	for _, name := range b.Tree.IOCModules(img) {
		for _, p := range append([]string{"db"}, b.Tree.Modules[name].Files...) {
			look = append(look, path.Join(place(name), p))
		}
	}
	// A module without databases has no db; that it has the others was seen.
	out, err := dev.WithExec(append([]string{"sh", "-c", `find "$@" ! -type d 2>/dev/null; true`, "sh"}, look...)).Stdout(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("listing what the IOC of %s reads: %w", img.Name, explain(err))
	}
	files = strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
	slices.Sort(files)
	for _, p := range files {
		if strings.Contains(path.Base(p), ".so") {
			objects = append(objects, p)
		}
	}
	return slices.Compact(files), objects, nil
}

// copyStripped copies the files that standard input names to the folder $1, and
// takes the symbols out.
const copyStripped = `set -e
mkdir -p "$1"
xargs -r -d '\n' cp --parents --preserve=mode -t "$1" --
find "$1" -type f | while read -r f; do
	if [ "$(head -c 4 "$f" | tr -d '\0')" = "$(printf '\177ELF')" ]; then strip --strip-unneeded "$f"; fi
done`

// strip gives the files at paths of dev without symbols; the developer image
// keeps them. They go to a folder of their own: one that was mounted would have
// the layers with the symbols below.
func (b Builder) strip(dev *dagger.Container, paths []string) *dagger.Directory {
	const to = "/tmp/stripped"
	return dev.WithExec([]string{"sh", "-c", copyStripped, "sh", to}, dagger.ContainerWithExecOpts{Stdin: strings.Join(paths, "\n") + "\n"}).
		Directory(to)
}

// objects gives the shared objects that binaries load: those built in the
// hierarchy and those of the system, as absolute paths, sorted.
func (b Builder) objects(ctx context.Context, img *recipe.Image, dev *dagger.Container, binaries []string) (built, system []string, err error) {
	out, err := dev.WithExec(append([]string{"ldd"}, binaries...)).Stdout(ctx)
	if err != nil {
		return nil, nil, &diag.Error{Kind: diag.Broken, Doing: "building the IOC of", Asset: img.Name, File: img.File, Err: explain(err)}
	}
	loaded, missing := readLdd(out)
	if len(missing) > 0 {
		return nil, nil, &diag.Error{Kind: diag.Broken, Doing: "finding the shared objects of", Asset: img.Name, File: img.File, Err: fmt.Errorf("not found: %s", strings.Join(missing, ", ")), Fix: "add the module or Debian package that has them"}
	}
	for _, p := range loaded {
		if strings.HasPrefix(p, "/epics/") {
			built = append(built, p)
		} else {
			system = append(system, p)
		}
	}
	return built, system, nil
}

var lddLine = regexp.MustCompile(`^\s+(\S+)(?: => (\S+|not found))? \(0x[0-9a-f]+\)$|^\s+(\S+) => not found$`)

// readLdd reads ldd's output: the paths loaded, and the names not found; both
// sorted, each once.
func readLdd(out string) (loaded, missing []string) {
	for line := range strings.Lines(out) {
		m := lddLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil:
		case m[3] != "":
			missing = append(missing, m[3])
		case strings.HasPrefix(m[2], "/"):
			loaded = append(loaded, path.Clean(m[2]))
		case strings.HasPrefix(m[1], "/"):
			loaded = append(loaded, path.Clean(m[1]))
		}
	}
	slices.Sort(loaded)
	slices.Sort(missing)
	return slices.Compact(loaded), slices.Compact(missing)
}

// complete installs the Debian packages that own the system's libraries and
// that run lacks, with those the recipe asks for: at the versions that the
// developer image has, or that are locked.
func (b Builder) complete(ctx context.Context, img *recipe.Image, dev, run *dagger.Container, libraries []string) (*dagger.Container, error) {
	var paths []string
	for _, p := range libraries {
		// /lib is a link to /usr/lib, and dpkg knows files by where they are.
		if !strings.HasPrefix(p, "/usr/") {
			p = "/usr" + p
		}
		paths = append(paths, p)
	}
	owned, err := dev.WithExec(append([]string{"dpkg-query", "--search"}, paths...)).Stdout(ctx)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "finding the Debian packages of", Asset: img.Name, Err: explain(err)}
	}
	has, err := installed(ctx, run)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "listing the Debian packages of", Asset: img.Name, Err: err}
	}
	need := slices.Clone(img.Run)
	for line := range strings.Lines(owned) {
		owner, _, _ := strings.Cut(line, ":")
		need = append(need, owner)
	}
	slices.Sort(need)
	need = slices.DeleteFunc(slices.Compact(need), func(p string) bool { return has[p] != "" })
	known, err := installed(ctx, dev)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "listing the Debian packages of", Asset: img.Name, Err: err}
	}
	return b.install(ctx, img, run, need, pins(b.Locks[img.Name].Packages.Run, known))
}
