package tree

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"
)

// made is a repository of a test, with its work tree.
type made struct {
	t   *testing.T
	dir string
	git *git.Repository
	n   int
}

func newMade(t *testing.T) *made {
	dir := t.TempDir()
	g, err := git.PlainInit(dir, false)
	require.NoError(t, err)
	return &made{t: t, dir: dir, git: g}
}

// who signs the n-th commit, an hour after the one before.
func (m *made) who() *object.Signature {
	return &object.Signature{Name: "Ada", Email: "ada@example.org", When: time.Date(2026, 1, 1, m.n, 0, 0, 0, time.UTC)}
}

// write puts a file into the work tree; mode may have the link bit, then text
// is its target.
func (m *made) write(name, text string, mode fs.FileMode) {
	file := filepath.Join(m.dir, name)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(file), 0o755))
	if mode&fs.ModeSymlink != 0 {
		require.NoError(m.t, os.Symlink(text, file))
		return
	}
	require.NoError(m.t, os.WriteFile(file, []byte(text), mode))
}

func (m *made) remove(name string) { require.NoError(m.t, os.RemoveAll(filepath.Join(m.dir, name))) }

// commit commits all of the work tree.
func (m *made) commit() plumbing.Hash {
	m.n++
	w, err := m.git.Worktree()
	require.NoError(m.t, err)
	require.NoError(m.t, w.AddWithOptions(&git.AddOptions{All: true}))
	h, err := w.Commit("change", &git.CommitOptions{Author: m.who(), AllowEmptyCommits: true})
	require.NoError(m.t, err)
	return h
}

// tag tags a commit, with an annotation unless message is empty.
func (m *made) tag(name string, at plumbing.Hash, message string) {
	var o *git.CreateTagOptions
	if message != "" {
		o = &git.CreateTagOptions{Tagger: m.who(), Message: message}
	}
	_, err := m.git.CreateTag(name, at, o)
	require.NoError(m.t, err)
}

func (m *made) open() *Repository {
	r, err := Open(m.dir)
	require.NoError(m.t, err)
	return r
}
