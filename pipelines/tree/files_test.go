package tree

import (
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

const linkMode = fs.ModeSymlink | 0o777

func TestFiles(t *testing.T) {
	m := newMade(t)
	m.write("beamlines/bl01t/beamline.yaml", "namespace: bl01t\n", 0o644)
	m.write("beamlines/bl01t.d/file", "folders sort otherwise in git", 0o644)
	m.write("beamlines/bl01t/iocs/one/config/st.cmd", "iocInit\n", 0o755)
	m.write("beamlines/bl01t/iocs/two", "one", linkMode)
	m.write("beamlines/bl01t/iocs/one/shared.yaml", "../../beamline.yaml", linkMode)
	m.write("empty", "", 0o644)
	m.commit()
	m.write("beamlines/bl01t/beamline.yaml", "namespace: changed, but not committed\n", 0o644)

	f, err := m.open().At("HEAD")
	require.NoError(t, err)
	require.NoError(t, fstest.TestFS(
		f, "beamlines/bl01t/beamline.yaml", "beamlines/bl01t.d/file", "beamlines/bl01t/iocs/one/config/st.cmd",
		"beamlines/bl01t/iocs/two", "empty",
	))

	b, err := fs.ReadFile(f, "beamlines/bl01t/iocs/two/shared.yaml")
	require.NoError(t, err, "two links on the way")
	require.Equal(t, "namespace: bl01t\n", string(b))
	s, err := fs.Stat(f, "beamlines/bl01t/iocs/two/config/st.cmd")
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o755), s.Mode())
	require.EqualValues(t, 8, s.Size())
	s, err = fs.Lstat(f, "beamlines/bl01t/iocs/two")
	require.NoError(t, err)
	require.Equal(t, linkMode, s.Mode())
	to, err := fs.ReadLink(f, "beamlines/bl01t/iocs/two")
	require.NoError(t, err)
	require.Equal(t, "one", to)
}

func TestLinksRefused(t *testing.T) {
	m := newMade(t)
	m.write("a/absolute", "/etc/passwd", linkMode)
	m.write("a/above", "../../secret", linkMode)
	m.write("a/through", "deep/../../../secret", linkMode)
	m.write("a/deep/file", "", 0o644)
	m.write("a/loop", "loop", linkMode)
	m.write("a/ping", "pong", linkMode)
	m.write("a/pong", "ping", linkMode)
	m.write("a/dangling", "nothing", linkMode)
	m.commit()
	f, err := m.open().At("HEAD")
	require.NoError(t, err)
	for name, want := range map[string]string{
		// the test's git rewrites the path
		"a/absolute":     "passwd leaves the repository; commit the file itself instead of a link",
		"a/above":        "read a/above: symbolic link to ../../secret leaves the repository; commit the file itself instead of a link",
		"a/through":      "read a/through: symbolic link to deep/../../../secret leaves the repository; commit the file itself instead of a link",
		"a/loop":         "read a/loop: more than 8 symbolic links, the last to loop; commit the file itself instead of links in a circle",
		"a/ping":         "read a/ping: more than 8 symbolic links, the last to pong; commit the file itself instead of links in a circle",
		"a/loop/further": "read a/loop/further: more than 8 symbolic links, the last to loop; commit the file itself instead of links in a circle",
	} {
		_, err := fs.ReadFile(f, name)
		require.ErrorContains(t, err, want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	_, err = fs.ReadFile(f, "a/dangling")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "symbolic link to nothing")
	for _, name := range []string{"a/none", "a/deep/file/under", "A/deep"} {
		_, err = f.Open(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	_, err = fs.ReadFile(f, "a")
	require.ErrorContains(t, err, "is a folder")
	_, err = fs.ReadDir(f, "a/deep/file")
	require.ErrorContains(t, err, "is not a folder")
}

func TestSubmodule(t *testing.T) {
	m := newMade(t)
	root := &object.Tree{Entries: []object.TreeEntry{{
		Name: "motor", Mode: filemode.Submodule, Hash: plumbing.NewHash("0123456789012345678901234567890123456789"),
	}}}
	o := m.git.Storer.NewEncodedObject()
	require.NoError(t, root.Encode(o))
	h, err := m.git.Storer.SetEncodedObject(o)
	require.NoError(t, err)
	c := &object.Commit{Author: *m.who(), Committer: *m.who(), TreeHash: h}
	o = m.git.Storer.NewEncodedObject()
	require.NoError(t, c.Encode(o))
	h, err = m.git.Storer.SetEncodedObject(o)
	require.NoError(t, err)

	f, err := m.open().At(h.String())
	require.NoError(t, err)
	list, err := fs.ReadDir(f, ".")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.False(t, list[0].IsDir())
	for _, name := range []string{"motor", "motor/configure/RELEASE"} {
		_, err = fs.ReadFile(f, name)
		require.ErrorContains(t, err, "motor is a git submodule")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

// Many readers at once are a plan's way of reading; run with -race.
func TestConcurrentReaders(t *testing.T) {
	m := newMade(t)
	for _, n := range []string{"a", "b", "c", "d"} {
		m.write(n+"/file", n, 0o644)
	}
	m.commit()
	r := m.open()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			f, err := r.At("HEAD")
			if err == nil {
				err = fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						_, err = fs.ReadFile(f, name)
					}
					return err
				})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(t, os.RemoveAll(m.dir))
}
