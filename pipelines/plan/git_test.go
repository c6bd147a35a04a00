package plan

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/tree"
)

// BenchmarkGit plans from a git repository with packed objects, opened anew each
// time as `tagline plan --since` does, where the worst has changed.
func BenchmarkGit(b *testing.B) {
	for _, beamlines := range []int{25, 50, 100} {
		files := site(beamlines)
		edit, _, _ := worst(files, beamlines)
		dir := committed(b, files, edit)
		b.Run(fmt.Sprintf("everything and shared values/beamlines=%d", beamlines), func(b *testing.B) {
			defer spent(b, 50*beamlines)()
			for b.Loop() {
				c := sinceIn(b, dir, "HEAD~1", "HEAD")
				require.Len(b, c.Assets, 3*beamlines+1)
				require.Len(b, c.Steps, 2*2*beamlines+1+2*50*beamlines)
			}
		})
	}
}

// sinceIn plans what changed between two revisions of a repository.
func sinceIn(t testing.TB, dir, from, to string) *Changes {
	repo, err := tree.Open(dir)
	require.NoError(t, err)
	var sides [2]Tree
	for i, rev := range []string{from, to} {
		sides[i].Commit, err = repo.Resolve(rev)
		require.NoError(t, err)
		sides[i].Files, err = repo.At(sides[i].Commit)
		require.NoError(t, err)
	}
	changed, err := repo.Changed(sides[0].Commit, sides[1].Commit)
	require.NoError(t, err)
	c, err := Since(sides[0], sides[1], changed)
	require.NoError(t, err)
	return c
}

// committed returns a bare repository with a commit for each state of the files,
// in one pack.
func committed(t testing.TB, states ...fstest.MapFS) string {
	dir := t.TempDir()
	var stream bytes.Buffer
	var before fstest.MapFS
	for i, files := range states {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 0\n", 1700000000+i)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if data := files[name].Data; before[name] == nil || !bytes.Equal(before[name].Data, data) {
				fmt.Fprintf(&stream, "M 644 inline %s\ndata %d\n%s\n", name, len(data), data)
			}
		}
		before = files
	}
	for _, args := range [][]string{
		{"init", "-q", "--bare", "-b", "main"}, {"fast-import", "--quiet"}, {"repack", "-q", "-a", "-d", "-f"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if args[0] == "fast-import" {
			cmd.Stdin = &stream
		}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dir
}
