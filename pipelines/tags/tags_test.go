package tags

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// history makes a repository with one asset for each of the named folders, and
// a commit for each list of tags, a day apart.
func history(t *testing.T, folders []string, commits ...[]string) *tree.Repository {
	t.Helper()
	dir := t.TempDir()
	repo, err := git.PlainInit(dir, false)
	require.NoError(t, err)
	for _, folder := range folders {
		file := "image.yaml"
		if filepath.Dir(folder) == "beamlines" {
			file = "beamline.yaml"
		}
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, folder, file), nil, 0o644))
	}
	work, err := repo.Worktree()
	require.NoError(t, err)
	require.NoError(t, work.AddWithOptions(&git.AddOptions{All: true}))
	when := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, names := range commits {
		who := &object.Signature{Name: "Ada", Email: "ada@example.org", When: when}
		hash, err := work.Commit("change", &git.CommitOptions{Author: who, Committer: who, AllowEmptyCommits: true})
		require.NoError(t, err)
		for _, name := range names {
			_, err := repo.CreateTag(name, hash, nil)
			require.NoError(t, err)
		}
		when = when.AddDate(0, 0, 1)
	}
	opened, err := tree.Open(dir)
	require.NoError(t, err)
	return opened
}

func TestSort(t *testing.T) {
	for name, c := range map[string]struct {
		given, want []string
		faults      int
	}{
		"by number": {[]string{"b/1.10.0", "b/1.9.0"}, []string{"b/1.9.0", "b/1.10.0"}, 0},
		"by asset": {
			[]string{"b/2.0.0", "a/2.0.0", "b/1.0.0"}, []string{"a/2.0.0", "b/1.0.0", "b/2.0.0"}, 0,
		},
		"bare ones first":      {[]string{"b/1.0.0", "2.0.0"}, []string{"2.0.0", "b/1.0.0"}, 0},
		"as git names refs":    {[]string{"refs/tags/b/1.0.0"}, []string{"b/1.0.0"}, 0},
		"one is no version":    {[]string{"b/1.0.0", "b/test", "nightly"}, []string{"b/1.0.0"}, 2},
		"two schemes, no date": {[]string{"b/1.0.0", "b/2021.1.1", "c/1.0.0"}, []string{"c/1.0.0"}, 1},
		"none":                 {nil, []string{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sorted, err := New(nil, c.given).Sort()
			require.Equal(t, c.want, sorted)
			require.Len(t, diag.All(err), c.faults, "%v", err)
		})
	}
}

// TestSortByHistory: where the scheme of versions changed, the commits' dates decide.
func TestSortByHistory(t *testing.T) {
	all, err := All(history(t, []string{"beamlines/bl01t"}, []string{"bl01t/3.1.0"}, []string{"bl01t/2021.1.1"}))
	require.NoError(t, err)
	sorted, err := all.Sort()
	require.NoError(t, err)
	require.Equal(t, []string{"bl01t/3.1.0", "bl01t/2021.1.1"}, sorted)
}

func TestNext(t *testing.T) {
	now := time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC)
	two := []string{"beamlines/bl01t", "generic-iocs/ioc-a"}
	for name, c := range map[string]struct {
		folders, tags []string
		asset         asset.Name
		want          string
	}{
		"the first of a beamline": {two, nil, "bl01t", "bl01t/2026.12.24"},
		"the day's second":        {two, []string{"bl01t/2026.12.24"}, "bl01t", "bl01t/2026.12.25"},
		"an image":                {two, []string{"ioc-a/1.0.9", "ioc-a/1.0.10"}, "ioc-a", "ioc-a/1.0.11"},
		"bare, as before":         {two[1:], []string{"1.0.0"}, "ioc-a", "1.0.1"},
		"whole, as before":        {two[1:], []string{"ioc-a/1.0.0"}, "ioc-a", "ioc-a/1.0.1"},
		"beside others":           {two[1:], []string{"nightly", "ioc-b/9.0.0", "ioc-a/1.0.0"}, "ioc-a", "ioc-a/1.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := All(history(t, c.folders, c.tags))
			require.NoError(t, err)
			next, err := all.Next(c.asset, now)
			require.NoError(t, err)
			require.Equal(t, c.want, next)
			_, _, err = all.Check(next, "")
			require.NoError(t, err, "what is proposed can be released")
		})
	}
	all, err := All(history(t, two, nil))
	require.NoError(t, err)
	_, err = all.Next("bl02i", now)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.ErrorContains(t, err, "no asset bl02i in this tree; assets are bl01t, ioc-a")
}

// TestCheckReadsTheTreeAtTheTag: an asset that was renamed since is known at its
// old tags, and refused for new ones.
func TestCheckReadsTheTreeAtTheTag(t *testing.T) {
	repo := history(t, []string{"beamlines/bl01t"}, []string{"bl01t/2026.11.1"})
	s := New(repo, nil)
	_, kind, err := s.Check("bl01t/2026.11.1", "")
	require.NoError(t, err)
	require.Equal(t, asset.Beamline, kind)
	_, _, err = s.Check("bl02i/2026.11.1", "")
	require.ErrorContains(t, err, "no asset bl02i")
	_, _, err = New(nil, nil).Check("2026.11.1", asset.Beamline)
	require.NoError(t, err, "a bare version of a known kind needs no repository")
	_, _, err = New(nil, nil).Check("2026.11.1", "")
	require.Error(t, err)
}

// TestCheckAtARevision: a tag that is still to be made is read where it will be made.
func TestCheckAtARevision(t *testing.T) {
	s := New(history(t, []string{"beamlines/bl01t"}, []string{"bl01t/2026.11.1"}), nil)
	for _, rev := range []string{"", "HEAD", "bl01t/2026.11.1"} {
		tag, kind, err := s.CheckAt(rev, "bl01t/2026.11.2")
		require.NoError(t, err)
		require.Equal(t, "bl01t/2026.11.2 beamline", tag.String()+" "+string(kind))
	}
	for rev, name := range map[string]string{"": "bl02i/1.0.0", "HEAD": "bl02i/1.0.0", "nowhere": "bl01t/2026.11.2"} {
		_, _, err := s.CheckAt(rev, name)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

func TestReleased(t *testing.T) {
	none := func() (*tree.Repository, error) { return nil, errors.New("no repository here") }
	tag, err := Released(none, "bl01t/2026.11.1")
	require.NoError(t, err)
	require.Equal(t, "bl01t/2026.11.1", tag.String())
	_, err = Released(none, "2026.11.1")
	require.Error(t, err)
	one := history(t, []string{"beamlines/bl01t"}, []string{"2026.11.1"})
	tag, err = Released(func() (*tree.Repository, error) { return one, nil }, "2026.11.1")
	require.NoError(t, err)
	require.Equal(t, "bl01t/2026.11.1", tag.String())
}

// A repository without a commit, and one without an asset, have no tag to propose.
func TestNextOfNothing(t *testing.T) {
	for _, repo := range []*tree.Repository{history(t, nil), history(t, nil, nil)} {
		_, err := New(repo, nil).Next("bl01t", time.Time{})
		require.EqualError(t, err, "proposing a tag of bl01t: nothing is committed here that could be released; "+
			"commit its folder in generic-iocs/, charts/ or beamlines/ first")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

// The kind that a person names is that of the tag's asset, or the tag is refused; where the
// tree can't say, it decides how the version is read.
func TestTheKindOfATag(t *testing.T) {
	two := New(history(t, []string{"beamlines/bl01t", "generic-iocs/ioc-a"}, nil), nil)
	one := New(history(t, []string{"generic-iocs/ioc-a"}, nil), nil)
	none := New(nil, nil)
	for name, c := range map[string]struct {
		set  *Set
		tag  string
		kind asset.Kind
		want string // "bl01t/2026.11.1 beamline"
		says string
	}{
		"of the asset":  {two, "bl01t/2026.11.1", asset.Beamline, "bl01t/2026.11.1 beamline", ""},
		"none is named": {two, "ioc-a/1.0.0", "", "ioc-a/1.0.0 image", ""},
		"of another": {
			two, "bl01t/2026.11.1", asset.Image, "",
			"bl01t/2026.11.1: bl01t is of kind beamline, not image; leave the kind away, or tag another asset",
		},
		"bare, of several": {two, "2026.11.1", asset.Beamline, "2026.11.1 beamline", ""},
		"bare, of several, no kind": {
			two, "2026.11.1", "", "",
			"2026.11.1: no asset before the version; tag <asset>/<version>",
		},
		"bare, of the only one": {one, "1.0.0", "", "ioc-a/1.0.0 image", ""},
		"no repository":         {none, "ioc-x/1.0.0", asset.Image, "ioc-x/1.0.0 image", ""},
		"no repository, no kind": {
			none, "ioc-x/1.0.0", "", "",
			"ioc-x/1.0.0: nothing says what kind of asset this is; name the kind: image, chart or beamline",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tag, kind, err := c.set.Check(c.tag, c.kind)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.Equal(t, diag.Invalid, diag.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, tag.String()+" "+string(kind))
		})
	}
}
