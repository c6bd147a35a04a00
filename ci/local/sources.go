package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// debianSource is a git repository that can be made from a Debian source
// package, for a machine that reaches Debian but not the repository's host.
type debianSource struct {
	Repository string // "github.com/epics-base/epics-base"
	Tag        string // the upstream tag whose tree the package holds
	Package    string // Debian's name for it
	Version    string // upstream's version, as the tarball's name starts
}

// epicsBase is EPICS Base with its PVA modules, which upstream are submodules
// and here are folders of the same tree.
var epicsBase = debianSource{
	Repository: "github.com/epics-base/epics-base",
	Tag:        "R7.0.8.1", Package: "epics-base", Version: "7.0.8.1",
}

// ensureSource puts the repository into the mirrors. The same package gives
// the same commit on every machine.
func ensureSource(ctx context.Context, o Options, src debianSource) (string, error) {
	repo := filepath.Join(o.State.MirrorsDir(), src.Repository+".git")
	if _, err := os.Stat(repo); err == nil {
		return repo, nil
	}
	o.Progress("sources", "making "+src.Repository+" "+src.Tag+" from Debian's source package")
	work, err := o.State.tempDir("source")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	tarball, err := downloadSource(ctx, work, src)
	if err != nil {
		return "", err
	}
	tmp := filepath.Join(work, "repository")
	if err := importTarball(ctx, tmp, tarball, src); err != nil {
		return "", fmt.Errorf("making %s from %s: %w", src.Repository, filepath.Base(tarball), err)
	}
	if err := os.MkdirAll(filepath.Dir(repo), 0o755); err != nil {
		return "", err
	}
	return repo, os.Rename(tmp, repo)
}

// downloadSource fetches the package's upstream tarball. apt is given sources
// and folders of its own below work, so that the machine's stay as they are.
func downloadSource(ctx context.Context, work string, src debianSource) (string, error) {
	for _, dir := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(work, dir), 0o755); err != nil {
			return "", err
		}
	}
	list := filepath.Join(work, "sources.list")
	from, err := machineArchives(ctx)
	if err != nil {
		return "", err
	}
	line := "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " + from.Main + " " + debianRelease + " main\n"
	if err := os.WriteFile(list, []byte(line), 0o644); err != nil {
		return "", err
	}
	private := []string{"apt-get", "-q",
		"-o", "Dir::Etc::sourcelist=" + list, "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + filepath.Join(work, "lists"),
		"-o", "Dir::Cache=" + filepath.Join(work, "cache"),
		"-o", "APT::Sandbox::User=root"}
	for _, args := range [][]string{{"update"}, {"source", "--tar-only", "--download-only", src.Package}} {
		if out, err := (child{Dir: work, Args: append(private, args...)}).run(ctx); err != nil {
			return "", fmt.Errorf("fetching Debian's source of %s: %w\n%s", src.Package, err, lastLines(out, 10))
		}
	}
	found, err := filepath.Glob(filepath.Join(work, src.Package+"_"+src.Version+"*.orig.tar.xz"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("fetching Debian's source of %s: %s holds no upstream version %s any more; want one tarball, got %q",
			src.Package, debianRelease, src.Version, found)
	}
	return found[0], nil
}
