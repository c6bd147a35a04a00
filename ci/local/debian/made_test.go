package debian

import (
	"archive/tar"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// programs puts shell scripts before the machine's own programs, with what runs as if all
// Debian packages were there, and returns the folder in which each wrote down its calls.
func programs(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	scripts["dpkg-query"] = `shift 3; for p; do echo "$p install ok installed"; done`
	for name, script := range scripts {
		text := "#!/bin/sh\nprintf '%s\\n' \"$@\" >>" + dir + "/" + name + ".calls\n" + script + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func calls(t *testing.T, dir, program string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, program+".calls"))
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// archive answers apt-get as a machine does that gets Debian and its security updates.
const archive = `case $* in *indextargets*)
	echo http://mirror.example.org/debian/; echo http://mirror.example.org/debian-security/ ;; esac`

// A root file system is there whole or not at all, and has nothing of the machine that it
// was made on.
func TestARootFileSystemIsMadeWhole(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes root file systems")
	}
	s := state.Dir(t.TempDir())
	dir := programs(t, map[string]string{
		"apt-get": archive,
		"mmdebstrap": `for w; do case $w in *rootfs.tar) echo a tar >"$w" ;; esac; done
echo "$SOURCE_DATE_EPOCH" >"${0%/*}/epoch"`,
	})
	out, err := EnsureRootfs(t.Context(), s, "debian", "ca-certificates", "runc")
	require.NoError(t, err)
	assert.Equal(t, s.Path("rootfs", "debian.tar"), out)
	text, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, "a tar\n", string(text))
	words := calls(t, dir, "mmdebstrap")
	assert.Contains(t, words, "--include=ca-certificates,runc")
	assert.Equal(t, []string{
		"deb http://mirror.example.org/debian/ trixie main",
		"deb http://mirror.example.org/debian/ trixie-updates main",
		"deb http://mirror.example.org/debian-security/ trixie-security main",
	}, words[len(words)-3:])
	for _, hook := range []string{"/etc/resolv.conf", "/etc/hostname"} {
		assert.Contains(t, strings.Join(words, "\n"), `"$1"`+hook)
	}
	epoch, err := os.ReadFile(filepath.Join(dir, "epoch"))
	require.NoError(t, err)
	assert.Equal(t, "1754697600\n", string(epoch))

	failing := state.Dir(t.TempDir())
	programs(t, map[string]string{
		"apt-get": archive,
		"mmdebstrap": `for w; do case $w in *rootfs.tar) echo half >"$w" ;; esac; done
echo "E: no space left"; exit 25`,
	})
	_, err = EnsureRootfs(t.Context(), failing, "debian", "runc")
	assert.EqualError(t, err, "installing Debian trixie: exit status 25\nE: no space left")
	assert.NoFileExists(t, failing.Path("rootfs", "debian.tar"))
	left, err := filepath.Glob(failing.Path("tmp", "*"))
	require.NoError(t, err)
	assert.Empty(t, left, "what was half made is gone")
}

// apt knows its archives after an update only, which is made once.
func TestAptIsUpdatedWhereItKnowsNoArchive(t *testing.T) {
	dir := programs(t, map[string]string{"apt-get": `case $1 in
update) touch "${0%/*}/updated" ;;
indextargets) test ! -e "${0%/*}/updated" || echo http://mirror.example.org/debian/ ;; esac`})
	from, err := machineArchives(t.Context())
	require.NoError(t, err)
	assert.Equal(t, archives{Main: "http://mirror.example.org/debian/"}, from)
	assert.Equal(t, 1, strings.Count(strings.Join(calls(t, dir, "apt-get"), "\n"), "update\n-q"))

	programs(t, map[string]string{"apt-get": `echo "E: Could not get lock"; exit 100`})
	_, err = machineArchives(t.Context())
	assert.EqualError(t, err, "asking apt for its archives: exit status 100\nE: Could not get lock")
	programs(t, map[string]string{"apt-get": `test "$1" != update || { echo "E: no network"; exit 100; }`})
	_, err = machineArchives(t.Context())
	assert.EqualError(t, err, "updating apt's lists: exit status 100\nE: no network")
}

// What apt says of a source that it can't fetch is shown, and no half repository is left.
func TestASourceThatCantBeFetched(t *testing.T) {
	s := state.Dir(t.TempDir())
	programs(t, map[string]string{"apt-get": archive + `
case "$*" in *--download-only*) echo "E: Unable to find a source package for x"; exit 100 ;; esac`})
	err := EnsureRepository(t.Context(), s, testSource)
	assert.EqualError(t, err,
		"fetching Debian's source of x: exit status 100\nE: Unable to find a source package for x")
	programs(t, map[string]string{"apt-get": archive + `
case "$*" in *--download-only*) echo no archive >x_1.orig.tar.xz ;; esac`})
	err = EnsureRepository(t.Context(), s, testSource)
	assert.ErrorContains(t, err, "making github.com/o/r from x_1.orig.tar.xz: ")
	assert.NoDirExists(t, filepath.Join(s.Mirrors(), testSource.Repository+".git"))
}

// The commit has the files with the modes that git knows, at the tag and on the branch that
// a clone gets, and nothing else: not the tarball's first folder, and no entry of its own.
func TestTheCommitOfASourcePackage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r.git")
	src := packTar(t, "b/c/d", "deep", "b.sh", "#!/bin/sh\n", "b/a", "1", "b-x/y", "2")
	require.NoError(t, importTarball(t.Context(), dir, src, testSource))
	repo, err := git.PlainOpen(dir)
	require.NoError(t, err)
	head, err := repo.Head()
	require.NoError(t, err)
	assert.Equal(t, "refs/heads/main", head.Name().String())
	tag, err := repo.Tag("R1")
	require.NoError(t, err)
	assert.Equal(t, head.Hash(), tag.Hash())
	commit, err := repo.CommitObject(head.Hash())
	require.NoError(t, err)
	assert.Equal(t, "x R1, from Debian's source package\n", commit.Message)
	assert.Equal(t, int64(Epoch), commit.Author.When.Unix())
	tree, err := commit.Tree()
	require.NoError(t, err)
	var names []string
	for _, e := range tree.Entries { // as git sorts them: a folder as if its name ended in a slash
		names = append(names, e.Name)
	}
	assert.Equal(t, []string{"b-x", "b.sh", "b", "link"}, names)
	modes := map[string]filemode.FileMode{}
	require.NoError(t, tree.Files().ForEach(func(f *object.File) error { modes[f.Name] = f.Mode; return nil }))
	assert.Equal(t, map[string]filemode.FileMode{
		"b/c/d": filemode.Regular, "b.sh": filemode.Executable, "b/a": filemode.Regular, "b-x/y": filemode.Regular,
		"link": filemode.Symlink,
	}, modes)
}

// What git has no form for is refused by its name, and an interruption ends the import.
func TestWhatCantBeImported(t *testing.T) {
	tarOf := func(h tar.Header) *tar.Reader {
		var b strings.Builder
		w := tar.NewWriter(&b)
		require.NoError(t, w.WriteHeader(&h))
		require.NoError(t, w.Flush())
		return tar.NewReader(strings.NewReader(b.String()))
	}
	fifo := tar.Header{Name: "base-1/a/pipe", Typeflag: tar.TypeFifo}
	_, err := treeFromTar(t.Context(), memory.NewStorage(), tarOf(fifo))
	assert.EqualError(t, err, `storing a/pipe: neither file nor symbolic link (type '6')`)
	for _, skipped := range []tar.Header{
		{Name: "pax_global_header", Typeflag: tar.TypeReg}, {Name: "base-1/", Typeflag: tar.TypeDir},
	} {
		_, err := treeFromTar(t.Context(), memory.NewStorage(), tarOf(skipped))
		assert.NoError(t, err, skipped.Name)
	}
	_, err = treeFromTar(t.Context(), memory.NewStorage(), tar.NewReader(strings.NewReader(strings.Repeat("x", 600))))
	assert.Error(t, err, "it is no tar")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = treeFromTar(ctx, memory.NewStorage(), tarOf(fifo))
	assert.ErrorIs(t, err, context.Canceled)
}
