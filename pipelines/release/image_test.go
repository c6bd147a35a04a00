package release

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"dagger.io/dagger"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// rootImage is the container image that the test's hierarchy is built on.
var rootImage = "docker.io/library/debian:trixie-slim@sha256:" + strings.Repeat("ab", 32)

// images is the files of a tree with a root image, and a generic IOC built on it.
func images() map[string]string {
	return map[string]string{
		"generic-iocs/support/epics-base.yaml": "git: https://example.org/base\nmacro: EPICS_BASE\n",
		"generic-iocs/support/stage.yaml":      "folder: stage\nmacro: STAGE\ndbds: [stage.dbd]\n",
		"stage/Makefile":                       "TOP = .\n",
		"generic-iocs/base/image.yaml":         "from: debian:trixie-slim\nmodules: {epics-base: R7.0.8.1}\n",
		"generic-iocs/base/image.lock.yaml": "base: " + rootImage + "\nmodules:\n  epics-base:\n    ref: R7.0.8.1\n" +
			"    commit: " + strings.Repeat("0a", 20) + "\n",
		"generic-iocs/ioc-a/image.yaml": "from: base 1.0.0\nmodules: {stage: tree}\nioc: {modules: [stage]}\n" +
			"smoke:\n  config: smoke\n  checks: [{pv: A:X}]\n",
		"generic-iocs/ioc-a/smoke/st.cmd": "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\n" +
			"ioc_registerRecordDeviceDriver(pdbbase)\niocInit\n",
	}
}

// workshop does what an engine would for an image, and remembers it.
type workshop struct {
	*imageJob
	mutex sync.Mutex
	did   []string
	fail  map[string]error // by what is done
	test  record.Test      // that the smoke test gives
}

// image begins the release of an image, with a workshop in the engine's place.
func (s *site) image(tag string) *workshop {
	s.commit(nil, tag)
	j, err := s.read(tag)
	require.NoError(s.t, err)
	w := &workshop{imageJob: newImageJob(j), fail: map[string]error{}}
	w.test = record.Test{Name: record.SmokeTest, Of: string(j.rec.Asset), Passed: true}
	root := asset.Ref(rootImage)
	w.assemble = func(context.Context) (*image.Image, error) {
		built := image.Released(s.Client, root, root, root)
		parent := w.parent
		if parent == nil {
			base := asset.Ref(w.locks[w.img.Name].Base)
			parent = image.Released(s.Client, base, base, base)
		}
		var pinned []record.Source
		for _, ref := range w.recipes.Order(w.img) {
			src := record.Source{Module: ref.Name, URL: "https://example.org/" + ref.Name, Ref: "R1"}
			src.Commit = strings.Repeat("0a", 20)
			if folder := w.recipes.Modules[ref.Name].Folder; folder != "" {
				var err error
				src.Commit, err = engine.FolderHash(j.files, folder)
				require.NoError(s.t, err)
			}
			pinned = append(pinned, src)
		}
		var err error
		built.Sources, err = w.builder().Inputs(w.img, parent, pinned)
		require.NoError(s.t, err)
		return built, w.done("assemble")
	}
	w.send = func(_ context.Context, _ *dagger.Container, repository string) (asset.Digest, error) {
		return s.pushed(repository), w.done("send " + repository)
	}
	w.tests[0] = func(_ context.Context, subject smoke.Subject) (*record.Test, error) {
		require.Equal(s.t, j.rec.Image(asset.Runtime).Digest, subject.Digest, "what is published is tested")
		return &w.test, w.done("smoke")
	}
	w.tests[1] = func(context.Context, smoke.Subject) (*record.Test, error) {
		return &record.Test{Name: record.ContentsTest, Of: w.test.Of, Passed: true}, w.done("contents")
	}
	return w
}

// done remembers that something was done, and returns its failure.
func (w *workshop) done(what string) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.did = append(w.did, what)
	return w.fail[what]
}

// pushed puts some image into a repository, untagged, and returns its digest.
func (s *site) pushed(repository string) asset.Digest {
	img, err := random.Image(16, 1)
	require.NoError(s.t, err)
	h, err := img.Digest()
	require.NoError(s.t, err)
	ref, err := name.NewDigest(string(s.Registry.At(repository, asset.Digest(h.String()))))
	require.NoError(s.t, err)
	require.NoError(s.t, remote.Write(ref, img))
	return asset.Digest(h.String())
}

// visible reports whether a release of an image can be seen.
func (s *site) visible(pin string) bool {
	p := assettest.Pin(pin)
	tagged, err := s.Registry.Exists(s.t.Context(), s.Registry.Ref(p.Asset.Image(asset.Runtime), p.Version))
	require.NoError(s.t, err)
	_, _, err = s.Registry.Record(s.t.Context(), p.Asset, p.Version)
	require.Equal(s.t, tagged, err == nil, "tags and record are there together")
	return tagged
}

func TestAnImageIsReleasedOnTheReleaseBelow(t *testing.T) {
	s := newSite(t, images())
	root := s.image("base/1.0.0")
	require.NoError(t, root.release(t.Context(), root.work()))
	rec, _, err := s.Registry.Record(t.Context(), "base", assettest.Version("1.0.0"))
	require.NoError(t, err)
	require.Equal(t, asset.Ref(rootImage), rec.Parents.Root)
	require.Empty(t, rec.Parents.Releases)

	w := s.image("ioc-a/1.0.0")
	var steps []string
	ctx := step.WithSink(t.Context(), func(e step.Event) {
		if e.Done {
			steps = append(steps, strings.TrimSuffix(e.Name, " ioc-a/1.0.0"))
		}
	})
	require.NoError(t, w.release(ctx, w.work()))
	require.Equal(t, []string{"planning", "building", "pushing", "testing", "sealing"}, steps)
	require.Equal(t, "assemble", w.did[0])
	require.ElementsMatch(t, []string{"send ioc-a-developer", "send ioc-a-runtime"}, w.did[1:3])
	require.ElementsMatch(t, []string{"smoke", "contents"}, w.did[3:])
	require.True(t, s.visible("ioc-a 1.0.0"))

	got, _, err := s.Registry.Record(t.Context(), "ioc-a", assettest.Version("1.0.0"))
	require.NoError(t, err)
	require.Equal(t, []record.Parent{parentOf(rec, asset.Developer)}, got.Parents.Releases)
	require.Equal(t, []string{"stage"}, got.Recipe.IOC.Modules)
	require.Equal(t, w.image.Sources, got.Sources)
	require.ElementsMatch(
		t, []string{record.SmokeTest, record.ContentsTest}, []string{got.Checks[0].Name, got.Checks[1].Name},
	)
}

// Whatever fails: what comes after it is not done, and nobody sees a release.
// The same command finishes it.
func TestAnImageThatFailsIsFinishedByTheSameCommand(t *testing.T) {
	broken := errors.New("the engine is gone")
	for what, c := range map[string]struct {
		did  []string // at most; a failure ends what runs beside it
		says string
	}{
		"assemble": {[]string{"assemble"}, "the engine is gone"},
		"send base-runtime": {
			[]string{"assemble", "send base-developer", "send base-runtime"},
			"publishing base-runtime base 1.0.0: the engine is gone; see that the engine may push to 127.0.0.1",
		},
		"smoke": {
			[]string{"assemble", "send base-developer", "send base-runtime", "smoke", "contents"}, "the engine is gone",
		},
		"contents": {
			[]string{"assemble", "send base-developer", "send base-runtime", "smoke", "contents"}, "the engine is gone",
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t, images())
			w := s.image("base/1.0.0")
			w.fail[what] = broken
			err := w.release(t.Context(), w.work())
			require.ErrorIs(t, err, broken)
			require.ErrorContains(t, err, c.says)
			require.Subset(t, c.did, w.did)
			require.Contains(t, w.did, what)
			require.False(t, s.visible("base 1.0.0"))

			again := s.image("base/1.0.0")
			require.NoError(t, again.release(t.Context(), again.work()))
			require.True(t, s.visible("base 1.0.0"))
		})
	}
}

func TestAnImageWhoseTestDoesNotPassIsNotReleased(t *testing.T) {
	s := newSite(t, images())
	w := s.image("base/1.0.0")
	w.test.Passed, w.test.Faults, w.test.Log = false, []string{"st.cmd:3: unknown command"}, "one\ntwo"
	err := w.release(t.Context(), w.work())
	require.EqualError(t, err, "st.cmd:3: unknown command\n  its last log lines:\n    one\n    two")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.False(t, s.visible("base 1.0.0"))
}

func TestAnInterruptedImageIsNotReleased(t *testing.T) {
	s := newSite(t, images())
	for _, when := range []string{"assemble", "send", "smoke"} {
		w := s.image("base/1.0.0")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		switch assemble, send, ask := w.assemble, w.send, w.tests[0]; when {
		case "assemble":
			w.assemble = func(ctx context.Context) (*image.Image, error) { cancel(); return assemble(ctx) }
		case "send":
			w.send = func(ctx context.Context, c *dagger.Container, name string) (asset.Digest, error) {
				cancel()
				return send(ctx, c, name)
			}
		case "smoke":
			w.tests[0] = func(ctx context.Context, s smoke.Subject) (*record.Test, error) {
				cancel()
				return ask(ctx, s)
			}
		}
		require.ErrorIs(t, w.release(ctx, w.work()), context.Canceled, when)
		require.False(t, s.visible("base 1.0.0"), when)
	}
}

// A check builds and tests, and pushes nothing: what it tests has no digest yet.
func TestCheckOfAnImagePublishesNothing(t *testing.T) {
	s := newSite(t, images())
	w := s.image("base/1.0.0")
	require.NoError(t, w.check(t.Context(), w.work()))
	require.Equal(t, "assemble", w.did[0])
	require.ElementsMatch(t, []string{"smoke", "contents"}, w.did[1:])
	require.Empty(t, s.repositories())
}

func TestAnImageIsRefusedBeforeItIsBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		tag    string
		edit   map[string]string
		inTree bool
		says   string
	}{
		"its parent is not released": {tag: "ioc-a/1.0.0", says: "base 1.0.0 is not released in 127.0.0.1"},
		"its parent is not in the tree": {
			tag: "ioc-a/1.0.0", inTree: true, edit: map[string]string{
				"generic-iocs/ioc-a/image.yaml": "from: other 1.0.0\nmodules: {stage: tree}\nioc: {modules: [stage]}\n" +
					"smoke:\n  config: smoke\n  checks: [{pv: A:X}]\n",
			}, says: "generic-iocs/ioc-a/image.yaml",
		},
		"what it names is not locked": {
			tag: "base/1.0.0", edit: map[string]string{"generic-iocs/base/image.lock.yaml": "base: " + rootImage + "\n"},
			says: "epics-base R7.0.8.1 is not locked",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, images())
			s.commit(c.edit)
			w := s.image(c.tag)
			w.inTree = c.inTree
			err := w.release(t.Context(), w.work())
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
			require.Empty(t, w.did)
			require.Empty(t, s.repositories())
		})
	}
}
