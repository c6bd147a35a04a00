package release

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dagger.io/dagger"
	"github.com/dagger/querybuilder"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// site is a repository and a registry, both of the test alone.
type site struct {
	t    *testing.T
	dir  string
	git  *git.Repository
	host string
	Pipeline
}

func newSite(t *testing.T, files map[string]string) *site {
	s := &site{t: t, dir: t.TempDir()}
	var err error
	s.git, err = git.PlainInit(s.dir, false)
	require.NoError(t, err)
	s.commit(files)
	s.host = registrytest.Serve(t, nil)
	s.Registry, err = registry.New(s.host, registry.Options{})
	require.NoError(t, err)
	s.Repo, err = tree.Open(s.dir)
	require.NoError(t, err)
	// describes, and asks no engine
	query := new(dagger.Query).WithGraphQLQuery(querybuilder.Query())
	s.Client, s.Tool = &dagger.Client{Query: query}, "test"
	return s
}

// commit commits files, and tags the commit.
func (s *site) commit(files map[string]string, tags ...string) {
	w, err := s.git.Worktree()
	require.NoError(s.t, err)
	for file, text := range files {
		require.NoError(s.t, os.MkdirAll(filepath.Dir(filepath.Join(s.dir, file)), 0o755))
		require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o644))
	}
	require.NoError(s.t, w.AddWithOptions(&git.AddOptions{All: true}))
	ada := &object.Signature{Name: "Ada", Email: "ada@example.org", When: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	h, err := w.Commit("change", &git.CommitOptions{Author: ada, AllowEmptyCommits: true})
	require.NoError(s.t, err)
	for _, tag := range tags {
		_ = s.git.DeleteTag(tag) // moves it, if it is there
		_, err = s.git.CreateTag(tag, h, nil)
		require.NoError(s.t, err)
	}
}

// repositories lists what is in the registry.
func (s *site) repositories() []string {
	reg, err := name.NewRegistry(s.host)
	require.NoError(s.t, err)
	list, err := remote.Catalog(s.t.Context(), reg)
	require.NoError(s.t, err)
	slices.Sort(list)
	return list
}

// ioc releases a generic IOC that is any content.
func (s *site) ioc(pin string, kind asset.Kind) {
	p := assettest.Pin(pin)
	rec := &record.Record{
		Schema: record.Schema, Kind: kind, Asset: p.Asset, Version: p.Version, Tag: p.Tag(),
		Commit: strings.Repeat("0a", 20),
		Checks: []record.Test{{Name: record.SmokeTest, Of: string(p.Asset), Passed: true}}, Tool: "test",
	}
	for _, target := range []asset.Target{asset.Developer, asset.Runtime} {
		img, err := random.Image(16, 1)
		require.NoError(s.t, err)
		h, err := img.Digest()
		require.NoError(s.t, err)
		a := record.Artifact{
			Name: p.Asset.Image(target), Type: record.ImageType, Target: target,
			Ref: s.Registry.Ref(p.Asset.Image(target), p.Version), Digest: asset.Digest(h.String()),
		}
		if kind != asset.Image {
			a.Type, a.Target, a.Ref = record.ChartType, "", s.Registry.Ref("charts/"+a.Name, p.Version)
		} else {
			rec.Parents.Root = asset.Ref("docker.io/library/debian:trixie-slim@sha256:" + strings.Repeat("ab", 32))
		}
		ref, err := name.NewDigest(string(a.Pinned()))
		require.NoError(s.t, err)
		require.NoError(s.t, remote.Write(ref, img))
		rec.Artifacts = append(rec.Artifacts, a)
	}
	_, err := s.Registry.Seal(s.t.Context(), rec)
	require.NoError(s.t, err)
}

// library is the files of a tree with the library chart.
func library(t *testing.T) map[string]string {
	files := map[string]string{}
	root := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(root, "charts/ioc-lib", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var text []byte
			text, err = fs.ReadFile(root, file)
			files[file] = string(text)
		}
		return err
	}))
	return files
}

// line is the files of a tree with a beamline of two instances alone.
func line() map[string]string {
	const script = "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n"
	return map[string]string{
		"beamlines/bl01t/beamline.yaml":              "namespace: bl01t\n",
		"beamlines/bl01t/iocs/bl01t-a/values.yaml":   "image: ioc-x 1.0.0\nprobePV: A:X\n",
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": script,
		"beamlines/bl01t/iocs/bl01t-b/values.yaml": "image: ioc-x 1.0.0\nprobePV: B:X\nprotocol: pva\nuid: 37143\n" +
			"gid: 37144\n" +
			"graceSeconds: 5\n",
		"beamlines/bl01t/iocs/bl01t-b/config/st.cmd": script,
	}
}

func TestStagesRunInOrder(t *testing.T) {
	var ran []string
	j := &job{tag: assettest.Tag("a/1.0.0"), rec: &record.Record{}}
	ok := func(name string) func(context.Context) error {
		return func(context.Context) error { ran = append(ran, name); return nil }
	}
	var steps []string
	ctx := step.WithSink(t.Context(), func(e step.Event) {
		if e.Done {
			steps = append(steps, e.Name)
		}
	})
	require.NoError(t, j.do(ctx, stage{"building", ok("build")}, stage{"pushing", nil}, stage{"testing", ok("test")}))
	require.Equal(t, []string{"build", "test"}, ran)
	require.Equal(t, []string{"building a/1.0.0", "testing a/1.0.0"}, steps)

	ran = nil
	broken := errors.New("no compiler")
	err := j.do(ctx, stage{"building", func(context.Context) error { return broken }}, stage{"testing", ok("test")})
	require.ErrorIs(t, err, broken)
	require.Empty(t, ran, "nothing is done after a failure")

	fails := func(context.Context) error {
		j.rec.Checks = []record.Test{{
			Name: record.BootTest, Faults: []string{"st.cmd:3: unknown command"}, Log: "one\ntwo",
		}}
		return nil
	}
	err = j.do(ctx, stage{"testing", fails}, stage{"sealing", ok("seal")})
	require.EqualError(t, err, "st.cmd:3: unknown command\n  its last log lines:\n    one\n    two")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.Empty(t, ran)

	interrupted, cancel := context.WithCancel(ctx)
	j.rec.Checks = nil
	err = j.do(
		interrupted, stage{"building", func(context.Context) error { cancel(); return nil }},
		stage{"sealing", ok("seal")},
	)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, ran, "an interrupted release is not sealed")
}

func TestALibraryChartIsReleased(t *testing.T) {
	s := newSite(t, library(t))
	s.commit(nil, "ioc-lib/1.2.0")
	var steps []string
	ctx := step.WithSink(t.Context(), func(e step.Event) {
		if e.Done {
			steps = append(steps, e.Name)
		}
	})
	rec, err := s.Run(ctx, "ioc-lib/1.2.0")
	require.NoError(t, err)
	require.Equal(
		t, []string{"building ioc-lib/1.2.0", "packaging ioc-lib/1.2.0", "sealing ioc-lib/1.2.0"}, steps,
		"nobody signs",
	)
	require.Equal(t, asset.Library, rec.Kind)
	require.Equal(t, []string{"charts/ioc-lib", "records/ioc-lib"}, s.repositories())

	again, err := s.Run(t.Context(), "ioc-lib/1.2.0")
	require.NoError(t, err)
	require.Equal(t, rec, again, "a finished release is left as it is")

	s.commit(map[string]string{"README.md": "changed"}, "ioc-lib/1.2.0")
	_, err = s.Run(t.Context(), "ioc-lib/1.2.0")
	require.ErrorContains(t, err, "a release never changes: tag a new version")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	_, err = s.Run(t.Context(), "ioc-lib/9.9.9")
	require.ErrorContains(t, err, "no such tag")
}

func TestABareTagStaysBareInTheRecord(t *testing.T) {
	s := newSite(t, library(t))
	s.commit(nil, "1.2.0")
	rec, err := s.Run(t.Context(), "1.2.0")
	require.NoError(t, err)
	require.Equal(t, assettest.Tag("1.2.0"), rec.Tag)
	require.Equal(t, assettest.Pin("ioc-lib 1.2.0"), asset.Pin{Asset: rec.Asset, Version: rec.Version})
}

func TestCheckPublishesNothing(t *testing.T) {
	s := newSite(t, library(t))
	tests, err := s.Check(t.Context(), "HEAD", "ioc-lib/1.2.0", false)
	require.NoError(t, err)
	require.Equal(t, record.PackageTest, tests[0].Name)
	require.Empty(t, s.repositories())
	_, err = s.Check(t.Context(), "nowhere", "ioc-lib/1.2.0", false)
	require.ErrorContains(t, err, "resolving revision nowhere")
}

// beamline begins the release of bl01t, whose instances are booted by boot.
func (s *site) beamline(boot boots) (*job, work) {
	s.commit(nil, "bl01t/2026.11.1")
	j, err := s.read("bl01t/2026.11.1")
	require.NoError(s.t, err)
	return j, (&beamlineJob{job: j, boot: boot}).work()
}

// A repository with a beamline alone is released: its charts are made with the
// library chart that the program carries.
func TestABeamlineAloneIsReleased(t *testing.T) {
	files := line()
	files["beamlines/bl01t/iocs/bl01t-b/values.yaml"] += "start: false\n"
	s := newSite(t, files)
	s.ioc("ioc-x 1.0.0", asset.Image)
	j, w := s.beamline(booted)
	require.NoError(t, j.release(t.Context(), w))
	rec, _, err := s.Registry.Record(t.Context(), "bl01t", assettest.Version("2026.11.1"))
	require.NoError(t, err)
	require.Equal(t, "bl01t", rec.Namespace)
	require.Equal(
		t, []string{"bl01t", "bl01t-a", "bl01t-b"}, []string{rec.Checks[0].Of, rec.Checks[1].Of, rec.Checks[2].Of},
	)
	require.Equal(t, []string{"ca", "pva"}, []string{rec.Instances[0].Protocol, rec.Instances[1].Protocol})
	require.Equal(t, []bool{false, true}, []bool{rec.Instances[0].Stopped, rec.Instances[1].Stopped})
	require.Len(t, rec.Parents.Releases, 1)
	require.Equal(t, rec.Parents.Releases[0].Ref, rec.Instances[0].Image)
	for i, inst := range rec.Instances {
		require.Equal(t, rec.Artifacts[i].Pinned(), inst.Chart)
		_, err := s.Registry.Chart(t.Context(), inst.Chart)
		require.NoError(t, err)
	}
}

func TestABeamlineThatFailsLeavesNoRelease(t *testing.T) {
	same := func(ctx context.Context, batch []smoke.Subject) ([]*record.Test, error) {
		tests, err := booted(ctx, batch)
		for _, test := range tests {
			test.PVs[0].Name = "X"
		}
		return tests, err
	}
	crash := func(_ context.Context, batch []smoke.Subject) ([]*record.Test, error) {
		return nil, errors.New("booting " + smoke.Named(batch) + ": the engine is gone")
	}
	for name, c := range map[string]struct {
		boot boots
		kind asset.Kind // of what is released as ioc-x; empty for nothing
		edit map[string]string
		says string
	}{
		"an IOC that cannot be booted": {
			boot: crash, kind: asset.Image,
			says: "booting bl01t-a to bl01t-b, 2 IOCs: the engine is gone",
		},
		"two IOCs with one PV": {
			boot: same, kind: asset.Image,
			says: "beamlines/bl01t/iocs/bl01t-b/config/st.cmd: bl01t-a and bl01t-b both serve X, " +
				"which bl01t-a has of beamlines/bl01t/iocs/bl01t-a/config/st.cmd;",
		},
		"an image that is not released": {
			boot: booted, says: "beamlines/bl01t/iocs/bl01t-a/values.yaml: ioc-x 1.0.0 is not released in 127.0.0.1",
		},
		"a chart in place of an image": {
			boot: booted, kind: asset.Library, says: "ioc-x 1.0.0 is of kind library, not image",
		},
		"a library chart with a fault": {
			boot: booted, kind: asset.Image, edit: map[string]string{"charts/ioc-lib/Chart.yaml": "name: x\n"},
			says: "charts/ioc-lib/Chart.yaml",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, line())
			if c.kind != "" {
				s.ioc("ioc-x 1.0.0", c.kind)
			}
			before := s.repositories()
			s.commit(c.edit)
			j, w := s.beamline(c.boot)
			err := j.release(t.Context(), w)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, before, s.repositories(), "nothing of it was pushed")
		})
	}
}

func TestCheckOfABeamlinePublishesNothing(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	before := s.repositories()
	j, w := s.beamline(booted)
	require.NoError(t, j.check(t.Context(), w))
	require.Len(t, j.rec.Checks, 3)
	require.Equal(t, before, s.repositories())
}
