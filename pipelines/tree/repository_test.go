package tree

import (
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestOpen(t *testing.T) {
	m := newMade(t)
	m.write("beamlines/bl01t/beamline.yaml", "namespace: bl01t\n", 0o644)
	h := m.commit().String()
	bare := t.TempDir()
	_, err := git.PlainClone(bare, true, &git.CloneOptions{URL: m.dir})
	require.NoError(t, err)

	for name, dir := range map[string]string{
		"root": m.dir, "folder": filepath.Join(m.dir, "beamlines/bl01t"), "bare": bare,
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(dir)
			require.NoError(t, err)
			head, err := r.Head()
			require.NoError(t, err)
			require.Equal(t, h, head)
		})
	}

	dir := t.TempDir()
	_, err = Open(dir)
	require.EqualError(
		t, err, "opening "+dir+": no git repository here or above; name a folder of the site's repository",
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	file := filepath.Join(m.dir, "beamlines", "bl01t", "beamline.yaml")
	_, err = Open(file)
	require.EqualError(
		t, err, "opening "+file+": it is a file; name a folder of the site's repository, as in "+filepath.Dir(file),
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestResolve(t *testing.T) {
	m := newMade(t)
	first, second := m.commit(), m.commit()
	m.tag("ioc-pmac/2.5.3r1.0", first, "")
	m.tag("bl45p/2021.8.27", first, "Beam time 12")
	m.tag("ioc-pmac/1.0.0+b1", first, "")
	outer, err := m.git.Tag("bl45p/2021.8.27")
	require.NoError(t, err)
	m.tag("of-a-tag", outer.Hash(), "A tag of a tag")
	require.NoError(t, m.git.Storer.SetReference(plumbing.NewHashReference("refs/heads/side", first)))
	require.NoError(t, m.git.Storer.SetReference(plumbing.NewHashReference("refs/remotes/origin/far", first)))
	require.NoError(t, m.git.Storer.SetReference(plumbing.NewHashReference("refs/heads/ioc-pmac/2.5.3r1.0", second)))
	// As a clone has it, with a commit of its own since.
	require.NoError(
		t,
		m.git.Storer.SetReference(plumbing.NewSymbolicReference("refs/remotes/origin/HEAD", "refs/remotes/origin/far")),
	)

	r := m.open()
	for rev, want := range map[string]plumbing.Hash{
		"HEAD": second, "HEAD~1": first, "side": first, "far": first, "master": second,
		first.String(): first, first.String()[:8]: first,
		"ioc-pmac/2.5.3r1.0": first, "bl45p/2021.8.27": first, "ioc-pmac/1.0.0+b1": first,
		"refs/tags/ioc-pmac/1.0.0+b1": first, "refs/heads/side": first, "of-a-tag": first,
	} {
		got, err := r.Resolve(rev)
		require.NoError(t, err, rev)
		require.Equal(t, want.String(), got, rev)
	}
	for _, rev := range []string{
		"", "bl45p/2021.8.2", "bl45p", "refs/tags/side", "refs/tags/", "0123456789012345678901234567890123456789",
	} {
		_, err := r.Resolve(rev)
		require.Error(t, err, rev)
		require.Equal(t, diag.Invalid, diag.KindOf(err), rev)
	}

	_, err = m.git.CreateTag("a-tree", mustTree(t, m, first), nil)
	require.NoError(t, err)
	_, err = r.Resolve("a-tree")
	require.ErrorContains(t, err, "is no commit")
}

func mustTree(t *testing.T, m *made, commit plumbing.Hash) plumbing.Hash {
	c, err := m.git.CommitObject(commit)
	require.NoError(t, err)
	return c.TreeHash
}

func TestTags(t *testing.T) {
	m := newMade(t)
	first, second := m.commit(), m.commit()
	m.tag("bl45p/2021.10.7", second, "Beam time 13")
	m.tag("bl45p/2021.8.27", first, "")
	m.tag("a-tree", mustTree(t, m, first), "")

	r := m.open()
	names, err := r.Tags()
	require.NoError(t, err)
	require.Equal(t, []string{"a-tree", "bl45p/2021.10.7", "bl45p/2021.8.27"}, names)

	history, err := r.History()
	require.NoError(t, err)
	require.Len(t, history, 2)
	require.Equal(t, "bl45p/2021.8.27", history[0].Name)
	require.Empty(t, history[0].Tagger)
	require.Equal(t, "bl45p/2021.10.7", history[1].Name)
	require.Equal(t, second.String(), history[1].Commit)
	require.Equal(t, "Ada <ada@example.org>", history[1].Tagger)
	require.Equal(t, "Beam time 13", history[1].Message)
	require.True(t, history[0].When.Before(history[1].When))

	_, err = r.Tag("bl45p/2021.9.1")
	require.ErrorContains(t, err, "no such tag")
}

func TestChanged(t *testing.T) {
	m := newMade(t)
	m.write("a/old", "1", 0o644)
	m.write("a/script", "1", 0o644)
	m.write("ioc-b/same", "1", 0o644)
	m.write("ioc-bc/gone", "1", 0o644)
	m.write("turns/into/folder", "1", 0o644)
	m.write("turns/file", "1", 0o644)
	first := m.commit()
	m.remove("a/old")
	m.remove("ioc-bc")
	m.write("a/new", "1", 0o644)
	m.remove("a/script")
	m.write("a/script", "1", 0o755)
	m.write("a/link", "new", linkMode)
	m.remove("turns")
	m.commit()
	m.write("turns/into", "1", 0o644)
	m.write("turns/file/below", "1", 0o644)
	second := m.commit()
	m.write("a/uncommitted", "1", 0o644)

	got, err := m.open().Changed(first.String(), second.String())
	require.NoError(t, err)
	require.Equal(t, []string{
		"a/link", "a/new", "a/old", "a/script", "ioc-bc/gone",
		"turns/file", "turns/file/below", "turns/into", "turns/into/folder",
	}, got)
	got, err = m.open().Changed(first.String(), first.String())
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = m.open().Changed("nothing", "HEAD")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestHash(t *testing.T) {
	m := newMade(t)
	m.write("one/file", "x", 0o644)
	m.write("two/file", "x", 0o644)
	m.commit()
	r := m.open()
	one, err := r.Hash("HEAD", "one")
	require.NoError(t, err)
	two, err := r.Hash("HEAD", "two")
	require.NoError(t, err)
	require.Equal(t, one, two)
	m.write("two/file", "y", 0o644)
	m.commit()
	two, err = m.open().Hash("HEAD", "two")
	require.NoError(t, err)
	require.NotEqual(t, one, two)
}
