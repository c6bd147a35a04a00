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
	built, system, err := b.objects(ctx, img, dev, binaries)
	if err != nil {
		return nil, err
	}
	files := b.Client.Directory()
	for _, p := range append(slices.Clone(binaries), built...) {
		if !slices.Contains(have, strings.TrimPrefix(p, "/")) {
			files = files.WithFile(p, dev.File(p))
		}
	}
	files = b.strip(dev, files)
	if img.IOC != nil {
		if files, err = b.data(ctx, img, dev, files); err != nil {
			return nil, err
		}
	}
	if run, err = b.complete(ctx, img, dev, run, system); err != nil {
		return nil, err
	}
	run = run.
		WithDirectory("/", files).
		WithDirectory(ConfigDir, b.Client.Directory()).
		WithDirectory("/epics/autosave", b.Client.Directory()).
		WithEnvVariable("EPICS_HOST_ARCH", hostArch).
		WithEnvVariable("PATH", searchPath)
	if img.IOC == nil {
		return run, nil
	}
	return run.WithEnvVariable("EPICS_DB_INCLUDE_PATH", b.dbPath(img)).
		WithEnvVariable("EPICS_IOCSH_HISTFILE", "/tmp/.iocsh_history"). // the config folder is read-only
		WithWorkdir(ConfigDir).
		WithEntrypoint([]string{iocDir + "/ioc"}).
		WithDefaultArgs([]string{"st.cmd"}).
		WithUser("1000:1000"), nil
}

// data adds what the IOC reads: its dbd and the databases of its modules.
func (b Builder) data(ctx context.Context, img *recipe.Image, dev *dagger.Container, files *dagger.Directory) (*dagger.Directory, error) {
	files = files.WithFile(iocDir+"/dbd/ioc.dbd", dev.File(iocDir+"/dbd/ioc.dbd")).
		WithSymlink("bin/"+hostArch+"/ioc", iocDir+"/ioc")
	for _, name := range b.Tree.IOCModules(img) {
		dir := place(name) + "/db"
		found, err := dev.Exists(ctx, dir)
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", dir, err)
		}
		if found {
			files = files.WithDirectory(dir, dev.Directory(dir))
		}
	}
	return files, nil
}

// strip takes the symbols out of all files; the developer image keeps them.
// They go to a folder of their own: a folder that was mounted has the layers
// with the symbols below the one without.
func (b Builder) strip(dev *dagger.Container, files *dagger.Directory) *dagger.Directory {
	const from, to = "/tmp/files", "/tmp/stripped"
	return dev.WithMountedDirectory(from, files).
		WithExec([]string{"cp", "--recursive", "--preserve=mode,links", from, to}).
		WithExec([]string{"find", to, "-type", "f", "-exec", "strip", "--strip-unneeded", "{}", "+"}).
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
