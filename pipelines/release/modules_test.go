package release

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// support is a site whose image base has three modules, of which two are in the tree, and
// its signed release 1.0.0.
func support(t *testing.T) *site {
	files := images()
	files["generic-iocs/base/image.yaml"] =
		"from: debian:trixie-slim\nmodules: {epics-base: R7.0.8.1, stage: tree, table: tree}\n"
	files["generic-iocs/support/table.yaml"] = "folder: table\nmacro: TABLE\n"
	files["table/Makefile"] = "TOP = .\n"
	delete(files, "generic-iocs/ioc-a/image.yaml")
	delete(files, "generic-iocs/ioc-a/smoke/st.cmd")
	s := newSite(t, files)
	s.Signer = newKey(t)
	first := s.builds("1.0.0", nil)
	require.NoError(t, first.err)
	require.Empty(t, first.by())
	require.Empty(t, first.lines, "the first release has none before it")
	for _, src := range first.rec.Sources {
		require.NotEmpty(t, src.Inputs)
	}
	return s
}

// trusting makes the signer of the site's releases the only one who is trusted.
func (s *site) trusting(j *job) {
	trust, err := s.Signer.Trust(s.t.Context())
	require.NoError(s.t, err)
	j.Trusted = attest.Anyone(trust)
}

// builds is assembles of base.
func (s *site) builds(version string, files map[string]string) run {
	return s.assembles("base "+version, files)
}

// assembles commits files, tags and releases an image, and signs its record: only an engine
// could list what its images are made of, and sign that.
func (s *site) assembles(pin string, files map[string]string) (r run) {
	at := assettest.Pin(pin)
	ctx := step.WithSink(s.t.Context(), func(e step.Event) {
		if e.Line != "" {
			r.lines = append(r.lines, e.Line)
		}
	})
	s.commit(files)
	w := s.image(at.Tag().String())
	by := w.Signer
	w.Signer = nil
	if by != nil {
		s.trusting(w.job)
	}
	if r.err = w.release(ctx, w.work()); r.err == nil {
		var err error
		r.rec, _, err = s.Registry.Record(s.t.Context(), at.Asset, at.Version)
		require.NoError(s.t, err)
		if by != nil {
			require.NoError(s.t, attest.Signer{Registry: s.Registry, By: by}.Record(s.t.Context(), r.rec))
		}
	}
	return r
}

// by returns which release built each module that was taken.
func (r run) by() map[string]string {
	all := map[string]string{}
	for _, src := range r.rec.Sources {
		if src.From != nil {
			all[src.Module] = src.From.Release.String()
		}
	}
	return all
}

// What the release before has built of the same inputs is not built again.
func TestWhatWasBuiltIsNotBuiltAgain(t *testing.T) {
	s := support(t)
	second := s.builds("1.0.1", map[string]string{"stage/Makefile": "TOP = ..\n"})
	require.NoError(t, second.err)
	require.Equal(t, map[string]string{"epics-base": "base/1.0.0", "table": "base/1.0.0"}, second.by())
	digest, err := s.Registry.RecordDigest(t.Context(), "base", assettest.Version("1.0.0"))
	require.NoError(t, err)
	require.Equal(t, digest, second.rec.Builders()[0].Record)

	third := s.builds("1.0.2", map[string]string{"README.md": "x"})
	require.NoError(t, third.err)
	require.Equal(t, map[string]string{
		"epics-base": "base/1.0.0", "stage": "base/1.0.1", "table": "base/1.0.0",
	}, third.by(), "named is who built it")

	check := s.image("base/1.0.3")
	s.trusting(check.job)
	require.NoError(t, check.check(t.Context(), check.work()))
	require.Equal(t, third.by(), run{rec: check.rec}.by(), "a check takes what a release would")

	for _, tag := range []string{"base/1.0.3", "base/0.0.0"} { // which has no release before it
		inTree := s.image(tag)
		inTree.inTree = true
		s.trusting(inTree.job)
		require.NoError(t, inTree.check(t.Context(), inTree.work()))
		require.Equal(t, third.by(), run{rec: inTree.rec}.by(), tag)
	}

	s.All = true
	all := s.builds("1.0.3", nil)
	require.NoError(t, all.err)
	require.Empty(t, all.by())
	require.Empty(t, all.lines)
}

// A check of the tree alone takes what was built on a release, where what it builds in its
// place is the same.
func TestInTheTreeModulesAreTaken(t *testing.T) {
	s := newSite(t, images())
	s.Signer = newKey(t)
	base := s.assembles("base 1.0.0", nil)
	require.NoError(t, base.err)
	first := s.assembles("ioc-a 1.0.0", nil)
	require.NoError(t, first.err)
	require.Empty(t, first.by())
	newer := s.assembles("base 1.0.1", map[string]string{"README.md": "x"})
	require.NoError(t, newer.err)

	check := func(below asset.Digest) map[string]string {
		w := s.image("ioc-a/0.0.0")
		w.inTree = true
		s.trusting(w.job)
		w.below = func(_ context.Context, pin asset.Pin) (*image.Image, error) {
			require.Equal(t, base.rec.Version, w.formerOf(t.Context(), pin).Record.Version, "which it is built on")
			pin.Version = assettest.Version("7.0")
			require.Equal(t, newer.rec.Version, w.formerOf(t.Context(), pin).Record.Version, "or else the newest")
			return &image.Image{Base: asset.Ref(rootImage), Digest: below}, nil
		}
		require.NoError(t, w.check(t.Context(), w.work()))
		return run{rec: w.rec}.by()
	}
	require.Equal(t, map[string]string{"stage": "ioc-a/1.0.0"}, check(base.rec.Image(asset.Developer).Digest))
	require.Empty(t, check(""), "a module of the base has changed")
	s.All = true
	w := s.image("ioc-a/0.0.0")
	s.trusting(w.job)
	require.Nil(t, w.formerOf(t.Context(), assettest.Pin("base 1.0.0")))
}

// A change of what all is built on, or of what is built with it, has all built again.
func TestEachChangeIsBuiltAgain(t *testing.T) {
	s := support(t)
	lock := images()["generic-iocs/base/image.lock.yaml"]
	base := images()["generic-iocs/support/epics-base.yaml"]
	for version, c := range map[string]struct{ file, text string }{
		"1.0.1": {"generic-iocs/base/image.lock.yaml", strings.Replace(lock, "ab", "cd", 1)},
		"1.1.0": {"generic-iocs/support/epics-base.yaml", base + "tests: true\n"},
	} {
		r := s.builds(version, map[string]string{c.file: c.text})
		require.NoError(t, r.err)
		require.Empty(t, r.by(), c.file)
	}
}

// A record that is not to be trusted, or can't be read, gives nothing, and does not stop
// the release.
func TestAModuleOfARecordThatIsNotTrustedIsBuilt(t *testing.T) {
	own := func(s *site) attest.Signer { return attest.Signer{Registry: s.Registry, By: s.Signer} }
	forged := func(r *record.Record) { r.Sources[0].Licence = "forged" }
	for what, c := range map[string]struct {
		by   func(*site) attest.Signer // of what is put in its place; nil for nobody
		edit func(*record.Record)
		gone bool
		says string // in a line of progress
	}{
		"nobody signed it": {edit: forged, says: "it has no signed"},
		"a stranger signed it": {
			by:   func(s *site) attest.Signer { return attest.Signer{Registry: s.Registry, By: newKey(s.t)} },
			edit: forged, says: "no trusted signer signed its",
		},
		"its image is in another registry": {
			by: own, says: "its image base-developer is example.org",
			edit: func(r *record.Record) { r.Artifacts[0].Ref = "example.org/base-developer:1.0.0" },
		},
		"it has no inputs, as one of an older Tagline": {
			by: own, edit: func(r *record.Record) {
				for i := range r.Sources {
					r.Sources[i].Inputs = ""
				}
			},
		},
		"it is gone": {gone: true},
	} {
		t.Run(what, func(t *testing.T) {
			s := support(t)
			at, err := name.NewTag(s.host + "/records/base:1.0.0")
			require.NoError(t, err)
			if c.gone {
				require.NoError(t, remote.Delete(at))
			} else {
				rec, _, err := s.Registry.Record(t.Context(), "base", assettest.Version("1.0.0"))
				require.NoError(t, err)
				c.edit(rec)
				s.put(rec, c.by)
			}
			second := s.builds("1.0.1", nil)
			require.NoError(t, second.err)
			require.Empty(t, second.by())
			if c.says == "" {
				require.Empty(t, second.lines)
				return
			}
			require.Contains(t, second.lines[0], "every module is built: ")
			require.Contains(t, second.lines[0], c.says)
		})
	}
}

// Where nobody is named who is trusted, nothing is taken: whoever may write to the
// registry could have put it there.
func TestNothingIsTakenWhereNobodyIsTrusted(t *testing.T) {
	s := support(t)
	s.Signer = nil
	second := s.builds("1.0.1", nil)
	require.NoError(t, second.err)
	require.Empty(t, second.by())
	require.Empty(t, second.lines)
}
