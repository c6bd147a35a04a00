package github

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	gitobject "github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// press is a repository of generic IOCs, its registry, and a GitHub that has its tags.
type press struct {
	t    *testing.T
	git  *git.Repository
	dir  string
	when time.Time
	on   *githubtest.GitHub
	Publisher
}

func newPress(t *testing.T, images ...string) *press {
	p := &press{
		t: t, dir: t.TempDir(), when: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		on: &githubtest.GitHub{Commits: map[string]string{}},
	}
	var err error
	p.git, err = git.PlainInit(p.dir, false)
	require.NoError(t, err)
	for _, image := range images {
		p.write("generic-iocs/"+image+"/image.yaml", "from: debian:trixie-slim\nmodules: {}\n")
	}
	p.Repo, err = tree.Open(p.dir)
	require.NoError(t, err)
	p.Registry, err = registry.New(registrytest.Serve(t, nil)+"/site", registry.Options{})
	require.NoError(t, err)
	p.GitHub = open(t, p.on.Handler())
	p.on.Base = strings.TrimSuffix(p.GitHub.client.BaseURL.String(), "/")
	return p
}

func (p *press) write(file, text string) {
	path := filepath.Join(p.dir, file)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(p.t, os.WriteFile(path, []byte(text), 0o644))
}

// tag tags a new commit, here and on GitHub, and returns it.
func (p *press) tag(tag string) string {
	w, err := p.git.Worktree()
	require.NoError(p.t, err)
	require.NoError(p.t, w.AddWithOptions(&git.AddOptions{All: true}))
	p.when = p.when.Add(time.Hour)
	ada := &gitobject.Signature{Name: "Ada", Email: "ada@example.org", When: p.when}
	h, err := w.Commit("change", &git.CommitOptions{Author: ada, Committer: ada, AllowEmptyCommits: true})
	require.NoError(p.t, err)
	_ = p.git.DeleteTag(tag) // moves it, if it is there
	_, err = p.git.CreateTag(tag, h, nil)
	require.NoError(p.t, err)
	p.on.Commits[tag] = h.String()
	return h.String()
}

// release tags a commit and puts a release of it into the registry.
func (p *press) release(tag, pin string) {
	of := assettest.Pin(pin)
	rec := &record.Record{
		Schema: record.Schema, Kind: asset.Image, Asset: of.Asset, Version: of.Version, Tag: assettest.Tag(tag),
		Commit: p.tag(tag), Tool: "test",
		Checks: []record.Test{{Name: record.SmokeTest, Of: string(of.Asset), Passed: true}},
	}
	for _, target := range []asset.Target{asset.Developer, asset.Runtime} {
		img, err := random.Image(16, 1)
		require.NoError(p.t, err)
		h, err := img.Digest()
		require.NoError(p.t, err)
		a := record.Artifact{
			Name: of.Asset.Image(target), Type: record.ImageType, Target: target,
			Ref: p.Registry.Ref(of.Asset.Image(target), of.Version), Digest: asset.Digest(h.String()),
		}
		ref, err := name.NewDigest(string(a.Pinned()))
		require.NoError(p.t, err)
		require.NoError(p.t, remote.Write(ref, img))
		rec.Artifacts = append(rec.Artifacts, a)
	}
	_, err := p.Registry.Seal(p.t.Context(), rec)
	require.NoError(p.t, err)
}

// publish makes the page of a tag, and returns its notes and whether it is the latest.
func (p *press) publish(tag string) (page *Page, notes, latest string) {
	page, err := p.Run(p.t.Context(), tag)
	require.NoError(p.t, err)
	for _, there := range p.on.Releases() {
		if there.GetTagName() == tag {
			return page, there.GetBody(), there.GetMakeLatest()
		}
	}
	require.Fail(p.t, "there is no page of "+tag)
	return nil, "", ""
}

// A page compares with the release before, by version and not by date; of a repository with
// one asset the newest version is the latest release, whichever page is made last.
func TestPagesOfReleases(t *testing.T) {
	p := newPress(t, "ioc-a")
	p.release("ioc-a/1.9.0", "ioc-a 1.9.0")
	p.release("ioc-a/1.10.0", "ioc-a 1.10.0")
	p.release("1.9.1", "ioc-a 1.9.1")                     // of an older line, and later
	p.release("ioc-a/2.0.0-beta.1", "ioc-a 2.0.0-beta.1") // and what is not finished
	page, notes, latest := p.publish("ioc-a/1.9.0")
	made := p.on.Releases()[0]
	require.Equal(t, &Page{
		URL: made.GetHTMLURL(), Tag: "ioc-a/1.9.0", Record: "ioc-a-1.9.0.record.json",
	}, page)
	require.NotEmpty(t, page.URL)
	attached, err := record.Read([]byte(p.on.Content(made.Assets[0])))
	require.NoError(t, err, "what is attached is the record")
	require.Equal(t, assettest.Version("1.9.0"), attached.Version)
	require.Contains(t, notes, "The first release of `ioc-a`.")
	require.Equal(t, "false", latest)
	page, notes, latest = p.publish("ioc-a/1.10.0")
	require.Equal(t, "1.9.1", page.Since)
	require.Contains(t, notes, "What changes since `1.9.1`:")
	require.Equal(t, "true", latest, "it is the newest")
	page, _, latest = p.publish("1.9.1")
	require.Equal(t, "1.9.0", page.Since)
	require.Equal(t, "false", latest)
	_, _, latest = p.publish("ioc-a/2.0.0-beta.1")
	require.Equal(t, "false", latest, "a pre-release is not what users should take")
	for _, there := range p.on.Releases() {
		require.Equal(t, there.GetTagName() == "ioc-a/2.0.0-beta.1", there.GetPrerelease(), there.GetTagName())
	}
	again, _, _ := p.publish("ioc-a/1.9.0")
	require.False(t, again.Kept)
	require.Len(t, p.on.Releases(), 4, "none is made twice")
}

// Where the scheme of versions changed, the dates of the tags say what came before; a page that
// somebody wrote is told apart.
func TestThePageAfterAnotherScheme(t *testing.T) {
	p := newPress(t, "ioc-a")
	p.release("ioc-a/3.1.0", "ioc-a 3.1.0")
	p.release("2021.1.1", "ioc-a 2021.1.1")
	page, _, latest := p.publish("2021.1.1")
	require.Equal(t, "3.1.0", page.Since)
	require.Equal(t, "true", latest)
	own := "Beam is back."
	p.on.Releases()[0].Body = &own
	page, notes, _ := p.publish("2021.1.1")
	require.True(t, page.Kept)
	require.Equal(t, own, notes)
}

// GitHub has one latest release for a repository, which means nothing for several assets.
func TestNoReleaseOfSeveralAssetsIsTheLatest(t *testing.T) {
	p := newPress(t, "ioc-a", "ioc-b")
	p.release("ioc-a/1.0.0", "ioc-a 1.0.0")
	_, _, latest := p.publish("ioc-a/1.0.0")
	require.Equal(t, "false", latest)
}

// What is not released, or was released from another commit, has no page.
func TestWhatHasNoPage(t *testing.T) {
	p := newPress(t, "ioc-a")
	p.release("ioc-a/1.0.0", "ioc-a 1.0.0")
	p.tag("ioc-a/1.1.0")
	was := p.on.Commits["ioc-a/1.0.0"]
	p.write("README.md", "more")
	now := p.tag("ioc-a/1.0.0")
	for tag, c := range map[string]struct {
		says string
		kind diag.Kind
	}{
		"ioc-a/1.1.0": {"ioc-a 1.1.0: no such release", diag.Invalid},
		"ioc-a/1.2.0": {"reading tag ioc-a/1.2.0: no such tag in this repository; make it with git tag", diag.Invalid},
		"ioc-a/1.0.0": {
			"making the GitHub release of ioc-a/1.0.0: the tag is at commit " + now + " here, and was released from " +
				was + "; a release never changes: put the tag back, and tag a new version", diag.Refused,
		},
	} {
		_, err := p.Run(t.Context(), tag)
		require.ErrorContains(t, err, c.says)
		require.Equal(t, c.kind, diag.KindOf(err), tag)
	}
	require.Empty(t, p.on.Releases())
}

// A release before whose commit was not fetched stops the page with what to do.
func TestThePageOfAShallowClone(t *testing.T) {
	p := newPress(t, "ioc-a")
	p.release("ioc-a/1.0.0", "ioc-a 1.0.0")
	p.release("ioc-a/1.1.0", "ioc-a 1.1.0")
	was := p.on.Commits["ioc-a/1.0.0"]
	require.NoError(t, os.Remove(filepath.Join(p.dir, ".git/objects", was[:2], was[2:])))
	var err error
	p.Repo, err = tree.Open(p.dir)
	require.NoError(t, err)
	_, err = p.Run(t.Context(), "ioc-a/1.1.0")
	require.ErrorContains(t, err, "reading the tree of ioc-a 1.0.0: ")
	require.ErrorContains(t, err, "; fetch the repository's whole history")
	require.Empty(t, p.on.Releases())
}

// What GitHub's settings must protect is what the tree at HEAD has.
func TestSiteOf(t *testing.T) {
	p := newPress(t, "ioc-b", "ioc-a")
	p.write("beamlines/bl01t/beamline.yaml", "namespace: bl01t\n")
	p.tag("x")
	site, err := SiteOf(p.Repo)
	require.NoError(t, err)
	require.Equal(t, Site{
		Tags: []string{"bl01t/1.0.0", "ioc-a/1.0.0", "ioc-b/1.0.0"}, Beamlines: []string{"bl01t"},
	}, site)
	p.write("beamlines/ioc-a/beamline.yaml", "namespace: x\n")
	p.tag("y")
	_, err = SiteOf(p.Repo)
	require.ErrorContains(t, err, "beamlines/ioc-a: generic-iocs/ioc-a is an asset of this name too")
	empty, err := git.PlainInit(t.TempDir(), false)
	require.NoError(t, err)
	w, err := empty.Worktree()
	require.NoError(t, err)
	repo, err := tree.Open(w.Filesystem.Root())
	require.NoError(t, err)
	_, err = SiteOf(repo)
	require.Error(t, err, "nothing was committed yet")
}

// What is open is an error, with how much; what is not known is none.
func TestVerdict(t *testing.T) {
	r, err := Open(PublicAPI, "some-org/site", "t")
	require.NoError(t, err)
	set, open, unknown := Finding{State: Set}, Finding{State: Unset}, Finding{State: Unknown}
	require.NoError(t, r.Verdict(nil))
	require.NoError(t, r.Verdict([]Finding{set, unknown, unknown}))
	err = r.Verdict([]Finding{open, set, open, unknown})
	require.EqualError(t, err, "looking at the settings of some-org/site: 2 of 4 leave something open; "+
		"set them as it says above; docs/security.md has why")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}
