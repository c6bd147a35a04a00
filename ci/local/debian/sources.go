package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Source is a git repository that can be made from a Debian source package, for a
// machine that reaches Debian but not the repository's host.
type Source struct {
	Repository string // "github.com/epics-base/epics-base"
	Tag        string // the upstream tag whose tree the package holds
	Package    string // Debian's name for it
	Version    string // upstream's version, as the tarball's name starts
}

// keyring is what Debian signs its archive with.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// EPICSBase is EPICS Base with its PVA modules, which upstream are submodules
// and here are folders of the same tree.
var EPICSBase = Source{
	Repository: "github.com/epics-base/epics-base",
	Tag:        "R7.0.8.1", Package: "epics-base", Version: "7.0.8.1",
}

// EnsureRepository puts a source's repository into the mirrors. The same package
// makes the same commit on every machine.
func EnsureRepository(ctx context.Context, s state.Dir, src Source) error {
	repo := filepath.Join(s.Mirrors(), src.Repository+".git")
	if _, err := os.Stat(repo); err == nil {
		return nil
	}
	step.Say(ctx, "sources", "making "+src.Repository+" "+src.Tag+" from Debian's source package")
	work, err := s.MkdirTemp("source")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	tarball, err := downloadSource(ctx, work, src)
	if err != nil {
		return err
	}
	tmp := filepath.Join(work, "repository")
	if err := importTarball(ctx, tmp, tarball, src); err != nil {
		return fmt.Errorf("making %s from %s: %w", src.Repository, filepath.Base(tarball), err)
	}
	if err := os.MkdirAll(filepath.Dir(repo), 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, repo)
}

// downloadSource fetches the package's upstream tarball. apt is given sources
// and folders of its own below work, so that the machine's stay as they are.
func downloadSource(ctx context.Context, work string, src Source) (string, error) {
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
	line := fmt.Sprintf("deb-src [signed-by=%s] %s %s main\n", keyring, from.Main, Release)
	if err := os.WriteFile(list, []byte(line), 0o644); err != nil {
		return "", err
	}
	private := []string{"apt-get", "-q",
		"-o", "Dir::Etc::sourcelist=" + list, "-o", "Dir::Etc::sourceparts=-",
		"-o", "Dir::State::lists=" + filepath.Join(work, "lists"),
		"-o", "Dir::Cache=" + filepath.Join(work, "cache"),
		"-o", "APT::Sandbox::User=root"}
	for _, args := range [][]string{{"update"}, {"source", "--tar-only", "--download-only", src.Package}} {
		if out, err := (process.Child{Dir: work, Args: append(private, args...)}).Run(ctx); err != nil {
			return "", fmt.Errorf(
				"fetching Debian's source of %s: %w\n%s", src.Package, err, process.LastLines(out, 10),
			)
		}
	}
	found, err := filepath.Glob(filepath.Join(work, src.Package+"_"+src.Version+"*.orig.tar.xz"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("fetching Debian's source of %s: %s holds no upstream version %s any more; "+
			"want one tarball, got %q", src.Package, Release, src.Version, found)
	}
	return found[0], nil
}
