package source

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// repository is a git repository in a folder, with the tags R1-0 and R1-1, which is
// annotated, and the branch main.
type repository struct {
	t    *testing.T
	path string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	r.git("init", "--quiet", "-b", "main")
	r.commit("R1-0")
	r.git("tag", "R1-0")
	r.commit("R1-1")
	r.git("tag", "-a", "-m", "R1-1", "R1-1")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{
		"-C", r.path, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always",
	}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

func (r repository) commit(says string) { r.git("commit", "--quiet", "--allow-empty", "-m", says) }

func (r repository) hash(of string) string { return r.git("rev-parse", of+"^{commit}") }

// asyn is the module asyn at a ref of the repository.
func (r repository) asyn(ref string) Wanted {
	return Wanted{
		Image: &recipe.Image{Name: "ioc-a", File: "generic-iocs/ioc-a/image.yaml"},
		Ref:   recipe.ModuleRef{Name: "asyn", Ref: ref, Line: 3},
		Module: &recipe.Module{
			Name: "asyn", File: "generic-iocs/support/asyn.yaml", Git: "https://git.example.org/asyn", Licence: "EPICS",
		},
	}
}

// through is a fetcher that finds the repository at its mirror.
func (r repository) through() Fetcher {
	return Fetcher{Mirrors: Mirrors{"https://git.example.org/asyn": r.path}}
}

func (r repository) locked(ref string) lockfile.Module {
	return lockfile.Module{Ref: ref, Commit: lockfile.Commit(r.hash(ref))}
}

// The source of a record is the commit that was locked, at the public address.
func TestPinnedIsWhatWasLocked(t *testing.T) {
	r := newRepository(t)
	for _, ref := range []string{"R1-0", "R1-1", "main", r.hash("R1-0")} {
		src, err := r.through().Pinned(t.Context(), r.asyn(ref), r.locked(ref))
		require.NoError(t, err, ref)
		require.Equal(t, r.hash(ref), src.Commit, ref)
		require.Equal(
			t, []string{"asyn", "https://git.example.org/asyn", ref, "EPICS"},
			[]string{src.Module, src.URL, src.Ref, src.Licence},
		)
		require.NoError(t, r.through().Reach(t.Context(), r.asyn(ref), r.locked(ref)))
	}
	r.commit("more")
	_, err := r.through().Pinned(t.Context(), r.asyn("main"), r.locked("R1-1"))
	require.NoError(t, err, "a branch moves on, and the lock holds")
}

// A tag that somebody moved is refused, by both names that git has for it.
func TestATagThatMovedIsRefused(t *testing.T) {
	r := newRepository(t)
	was, annotated := r.locked("R1-0"), r.locked("R1-1")
	r.commit("more")
	r.git("tag", "--force", "R1-0")
	r.git("tag", "--force", "-a", "-m", "again", "R1-1")
	for ref, locked := range map[string]lockfile.Module{"R1-0": was, "R1-1": annotated} {
		_, err := r.through().Pinned(t.Context(), r.asyn(ref), locked)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
		require.EqualError(
			t, err, "generic-iocs/ioc-a/image.lock.yaml: asyn "+ref+": the tag has moved: it was locked at commit "+
				string(locked.Commit)[:12]+" and is at "+r.hash("main")[:12]+
				" now; find out why; to take what it is now, run: tagline lock ioc-a",
		)
		require.Equal(t, err, r.through().Reach(t.Context(), r.asyn(ref), locked))
	}
}

// A ref that is not there, and a repository that is not, are told with the line that
// names them.
func TestAModuleThatIsNotThereIsRefused(t *testing.T) {
	r := newRepository(t)
	const noRef = `generic-iocs/ioc-a/image.yaml:3: asyn has no ref "R9"; ` +
		"name a tag, branch or commit of https://git.example.org/asyn"
	_, err := r.through().Pinned(t.Context(), r.asyn("R9"), lockfile.Module{})
	require.EqualError(t, err, noRef)
	_, err = r.through().Lock(t.Context(), r.asyn("R9"))
	require.EqualError(t, err, noRef)
	gone := Fetcher{Mirrors: Mirrors{"https://git.example.org/asyn": r.path + "/gone"}}
	for _, ref := range []string{"R1-0", r.hash("R1-0")} {
		err = gone.Reach(t.Context(), r.asyn(ref), r.locked("R1-0"))
		require.ErrorContains(t, err, "generic-iocs/ioc-a/image.yaml:3: asking "+r.path+"/gone for "+ref+" of asyn: ")
		require.ErrorContains(t, err, "check the URL in generic-iocs/support/asyn.yaml, or name a mirror with --mirror")
		require.Equal(t, diag.Broken, diag.KindOf(err))
	}
	_, err = gone.Lock(t.Context(), r.asyn("R1-0"))
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

func TestNewerIsTheNewestTagOfTheRepository(t *testing.T) {
	r := newRepository(t)
	for ref, want := range map[string]string{
		"R1-0": "R1-1", "R1-1": "", "main": "", "": "", r.hash("R1-0"): "", "R0-9": "R1-1", "v1-0": "",
	} {
		tag, err := r.through().Newer(t.Context(), r.asyn(ref))
		require.NoError(t, err)
		require.Equal(t, want, tag, ref)
	}
	_, err := Fetcher{}.Newer(t.Context(), Wanted{
		Image: &recipe.Image{}, Ref: recipe.ModuleRef{Ref: "R1-0"}, Module: &recipe.Module{Git: r.path + "/gone"},
	})
	require.Error(t, err)
}

// A module of the tree is what its folder holds at the commit, whatever was locked.
func TestAModuleOfTheTreeIsItsFolder(t *testing.T) {
	tree := fstest.MapFS{"generic-iocs/own/src/a.c": {Data: []byte("int a;\n")}}
	w := Wanted{
		Image: &recipe.Image{}, Ref: recipe.ModuleRef{Name: "own"}, Module: &recipe.Module{Folder: "generic-iocs/own"},
	}
	src, err := Fetcher{Files: tree}.Pinned(t.Context(), w, lockfile.Module{Commit: "of another"})
	require.NoError(t, err)
	require.Equal(t, []string{"tree", "generic-iocs/own"}, []string{src.URL, src.Ref})
	tree["generic-iocs/own/src/a.c"].Data = []byte("int b;\n")
	other, err := Fetcher{Files: tree}.Pinned(t.Context(), w, lockfile.Module{})
	require.NoError(t, err)
	require.NotEqual(t, src.Commit, other.Commit)
	w.Module.Folder = "generic-iocs/gone"
	_, err = Fetcher{Files: tree}.Pinned(t.Context(), w, lockfile.Module{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A submodule is checked out where the repository has one; where a mirror has its
// files in its place, there is nothing to do. A name that is misspelt is told.
func TestASubmoduleIsCheckedOutWhereThereIsOne(t *testing.T) {
	sub, r := newRepository(t), newRepository(t)
	r.git("submodule", "--quiet", "add", sub.path, "vendor/fir")
	require.NoError(t, os.MkdirAll(r.path+"/vendor/files", 0o755))
	require.NoError(t, os.WriteFile(r.path+"/vendor/files/a.c", nil, 0o644))
	r.git("add", ".")
	r.commit("with submodules")
	run := func(path, command string) (string, error) {
		cmd := exec.Command("sh", "-c", submoduleScript, "sh", path, "sh", "-c", command)
		cmd.Dir = r.path
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("vendor/fir", "echo checked out")
	require.NoError(t, err, out)
	require.Equal(t, "checked out\n", out)
	_, err = run("vendor/fir", "exit 3")
	require.Error(t, err, "what fails is told")
	out, err = run("vendor/files", "echo checked out")
	require.NoError(t, err, out)
	require.Empty(t, out)
	out, err = run("vendor/nosuch", "echo checked out")
	require.Error(t, err)
	require.Equal(t, "error: there is no submodule vendor/nosuch\n", out)
	status := readStatus(r.git("submodule", "status", "--recursive"))
	require.Equal(t, map[string]lockfile.Commit{"vendor/fir": lockfile.Commit(sub.hash("main"))}, status)
}
