package attest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

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
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// site is a registry with a signed release of a generic IOC and of a beamline
// that runs it.
type site struct {
	host  string
	reg   *registry.Registry
	key   *sign.Key
	trust *sign.Trust
	base  *record.Record // of the root image
	ioc   *record.Record
	bl    *record.Record
	spoil *registrytest.Spoil
}

func newSite(t testing.TB) *site {
	spoil := &registrytest.Spoil{}
	s := fill(t, registrytest.Serve(t, spoil.Layer))
	s.spoil = spoil
	return s
}

// fill releases into a registry.
func fill(t testing.TB, host string) *site {
	key, trust := newKey(t)
	s := fillBy(t, host, func(string) sign.Signer { return key })
	s.key, s.trust = key, trust
	return s
}

// fillBy lets somebody sign the release of each tag.
func fillBy(t testing.TB, host string, who func(tag string) sign.Signer) *site {
	s := &site{host: host}
	var err error
	s.reg, err = registry.New(s.host, registry.Options{})
	require.NoError(t, err)
	root := record.Parents{Root: asset.Ref("docker.io/library/debian:trixie-slim@sha256:" + strings.Repeat("ab", 32))}
	s.base = s.image(t, "epics-base", root)
	s.release(t, who(s.base.Tag.String()), s.base)
	on := s.base.Artifacts[0]
	s.ioc = s.image(t, "ioc-simstage", record.Parents{
		Releases: []record.Parent{{
			Asset: "epics-base", Version: assettest.Version("1.0.0"), Ref: on.Pinned(), Digest: on.Digest,
		}},
		Root: root.Root,
	})
	s.release(t, who(s.ioc.Tag.String()), s.ioc)
	s.bl = s.beamline(t)
	s.release(t, who(s.bl.Tag.String()), s.bl)
	return s
}

func newKey(t testing.TB) (*sign.Key, *sign.Trust) {
	k, public := keytest.New(t)
	trust, err := sign.TrustKeys(public)
	require.NoError(t, err)
	return k, trust
}

// push pushes something by its digest and returns it as an artifact.
func (s *site) push(
	t testing.TB, path string, kind record.ArtifactType, target asset.Target, version string,
) record.Artifact {
	img, err := random.Image(64, 2)
	require.NoError(t, err)
	h, err := img.Digest()
	require.NoError(t, err)
	at, err := name.NewDigest(s.host + "/" + path + "@" + h.String())
	require.NoError(t, err)
	require.NoError(t, remote.Write(at, img))
	return record.Artifact{
		Name: path[strings.LastIndex(path, "/")+1:], Type: kind, Target: target,
		Ref: asset.Ref(s.host + "/" + path + ":" + version), Digest: asset.Digest(h.String()),
	}
}

func (s *site) image(t testing.TB, name asset.Name, parents record.Parents) *record.Record {
	return &record.Record{
		Schema:  record.Schema,
		Kind:    asset.Image,
		Asset:   name,
		Version: assettest.Version("1.0.0"),
		Tag:     assettest.Tag(string(name) + "/1.0.0"),
		Commit:  strings.Repeat("0a", 20),
		Artifacts: []record.Artifact{
			s.push(t, name.Image(asset.Developer), "image", "developer", "1.0.0"),
			s.push(t, name.Image(asset.Runtime), "image", "runtime", "1.0.0"),
		},
		Parents: parents,
		Sources: []record.Source{
			{
				Module: "asyn",
				URL:    "https://github.com/epics-modules/asyn",
				Ref:    "R4-45",
				Commit: strings.Repeat("1b", 20),
			},
			{Module: "simstage", URL: "tree", Ref: "x", Commit: strings.Repeat("2c", 20)},
		},
		Checks: []record.Test{{Name: "smoke", Of: string(name), Passed: true}},
		Tool:   "1.0.0",
	}
}

func (s *site) beamline(t testing.TB) *record.Record {
	c, runtime := s.push(t, "charts/bl01t-a", "chart", "", "2026.11.1"), s.ioc.Artifacts[1]
	return &record.Record{
		Schema:    record.Schema,
		Kind:      asset.Beamline,
		Asset:     "bl01t",
		Version:   assettest.Version("2026.11.1"),
		Tag:       assettest.Tag("bl01t/2026.11.1"),
		Commit:    strings.Repeat("0b", 20),
		Namespace: "bl01t",
		Artifacts: []record.Artifact{c},
		Parents: record.Parents{Releases: []record.Parent{
			{
				Asset: "ioc-simstage", Version: assettest.Version("1.0.0"), Ref: runtime.Pinned(),
				Digest: runtime.Digest,
			}},
		},
		Instances: []record.Instance{
			{
				Name:     "bl01t-a",
				Chart:    c.Pinned(),
				Image:    runtime.Pinned(),
				IOC:      assettest.Pin("ioc-simstage 1.0.0"),
				ProbePV:  "X",
				Protocol: "ca",
			},
		},
		Checks: []record.Test{{Name: "boot", Of: "bl01t-a", Passed: true}},
		Tool:   "1.0.0",
	}
}

// release signs and seals, as releasing does.
func (s *site) release(t testing.TB, by sign.Signer, rec *record.Record) {
	signer := Signer{Registry: s.reg, By: by, Repository: "https://example.org/site"}
	sboms := map[asset.Digest]any{}
	for _, a := range rec.Artifacts {
		sboms[a.Digest] = map[string]string{"spdxVersion": "SPDX-2.3"}
	}
	require.NoError(t, signer.Images(t.Context(), rec, sboms))
	require.NoError(t, signer.Record(t.Context(), rec))
	_, err := s.reg.Seal(t.Context(), rec)
	require.NoError(t, err)
}

func (s *site) verify(t testing.TB) (*Report, error) {
	reg, err := registry.New(s.host, registry.Options{})
	require.NoError(t, err)
	v, err := asset.ParseVersion("2026.11.1")
	require.NoError(t, err)
	return Verify(t.Context(), reg, Anyone(s.trust), "bl01t", v)
}

func TestSignedReleaseIsVerifiedDownToEachBlob(t *testing.T) {
	s := newSite(t)
	report, err := s.verify(t)
	require.NoError(t, err)
	require.Len(t, report.Things, 1)
	require.Positive(t, report.Things[0].Bytes)
	require.Len(t, report.Parents, 1)
	require.EqualValues(t, "ioc-simstage", report.Parents[0].Asset)
	require.EqualValues(t, "epics-base", report.Parents[0].Parents[0].Asset)
	for _, thing := range append(report.Parents[0].Things, report.Parents[0].Parents[0].Things...) {
		require.Equal(t, []string{sign.SBOM, sign.Provenance}, thing.Signed)
	}
}

func TestSigningAgainAttachesNothing(t *testing.T) {
	s := newSite(t)
	s.release(t, s.key, s.ioc)
	for _, kind := range []string{sign.SBOM, sign.Provenance} {
		list, err := s.reg.Attached(t.Context(), s.ioc.Artifacts[0].Pinned(), sign.MediaType, kind)
		require.NoError(t, err)
		require.Len(t, list, 1)
	}
}

// A release that changes nothing of an image has that of the release before. Each has a
// provenance of it, and that of one is not the other's.
func TestTwoReleasesOfOneImage(t *testing.T) {
	s := newSite(t)
	again := *s.ioc
	again.Version, again.Tag = assettest.Version("1.0.1"), assettest.Tag("ioc-simstage/1.0.1")
	again.Commit = strings.Repeat("0c", 20)
	again.Artifacts = slices.Clone(s.ioc.Artifacts)
	for i := range again.Artifacts {
		again.Artifacts[i].Ref = s.reg.Ref(again.Artifacts[i].Name, again.Version)
	}
	require.NoError(t, Signer{Registry: s.reg, By: s.key}.Record(t.Context(), &again))
	_, err := s.reg.Seal(t.Context(), &again)
	require.NoError(t, err)
	verify := func(v asset.Version) error {
		_, err := Verify(t.Context(), s.reg, Anyone(s.trust), "ioc-simstage", v)
		return err
	}
	require.ErrorContains(t, verify(again.Version), "it is of commit "+s.ioc.Commit+", the record of "+again.Commit)
	s.release(t, s.key, &again)
	require.NoError(t, verify(again.Version))
	require.NoError(t, verify(s.ioc.Version))
	for kind, n := range map[string]int{sign.SBOM: 1, sign.Provenance: 2} {
		list, err := s.reg.Attached(t.Context(), again.Artifacts[0].Pinned(), sign.MediaType, kind)
		require.NoError(t, err)
		require.Len(t, list, n, kind)
	}
}

func TestImageWithoutSBOMIsNotSigned(t *testing.T) {
	s := newSite(t)
	err := Signer{Registry: s.reg, By: s.key}.Images(t.Context(), s.ioc, nil)
	require.ErrorContains(t, err, "no SBOM")
}

func TestVerifyRefuses(t *testing.T) {
	for says, harm := range map[string]func(*testing.T, *site){
		"no trusted signer signed": func(t *testing.T, s *site) { _, s.trust = newKey(t) },
		"the tag is": func(t *testing.T, s *site) {
			s.retag(t, s.bl.Artifacts[0].Ref, s.push(t, "charts/bl01t-a", "chart", "", "x"))
		},
		"it has no signed": func(t *testing.T, s *site) { // a release of somebody who may write to the registry
			s.bl.Checks[0].Evidence = []string{"all is well"}
			s.reseal(t)
		},
		"no parent of the release": func(t *testing.T, s *site) {
			other := s.push(t, "ioc-simstage-runtime", "image", "runtime", "1.0.0")
			s.bl.Instances[0].Image = other.Pinned()
			require.NoError(t, Signer{Registry: s.reg, By: s.key}.Record(t.Context(), s.bl))
			s.reseal(t)
		},
		"not of the release of ioc-simstage": func(t *testing.T, s *site) {
			other := s.push(t, "ioc-simstage-runtime", "image", "runtime", "1.0.0")
			parent := &s.bl.Parents.Releases[0]
			s.bl.Instances[0].Image, parent.Ref, parent.Digest = other.Pinned(), other.Pinned(), other.Digest
			require.NoError(t, Signer{Registry: s.reg, By: s.key}.Record(t.Context(), s.bl))
			s.reseal(t)
		},
		"charts/bl01t-a@sha256":  func(t *testing.T, s *site) { s.damage(t, s.bl.Artifacts[0], 0) },
		"is not what was pushed": func(t *testing.T, s *site) { s.damage(t, s.ioc.Artifacts[1], 1) },
	} {
		t.Run(says, func(t *testing.T) {
			s := newSite(t)
			harm(t, s)
			_, err := s.verify(t)
			require.ErrorContains(t, err, says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

// retag lets a tag name something else, as somebody who may write can.
func (s *site) retag(t testing.TB, ref asset.Ref, a record.Artifact) {
	from, err := name.NewDigest(string(a.Pinned()))
	require.NoError(t, err)
	d, err := remote.Get(from)
	require.NoError(t, err)
	to, err := name.NewTag(string(ref))
	require.NoError(t, err)
	require.NoError(t, remote.Tag(to, d))
}

// reseal puts the beamline's record in the place of the one that was sealed.
func (s *site) reseal(t testing.TB) {
	ref, err := s.reg.PushRecord(t.Context(), s.bl)
	require.NoError(t, err)
	at := asset.Ref(s.host + "/records/bl01t:2026.11.1")
	s.retag(t, at, record.Artifact{Ref: at, Digest: ref.Digest()})
}

// damage makes the registry serve other bytes, so many fewer, for an artifact's last layer.
func (s *site) damage(t testing.TB, a record.Artifact, fewer int64) {
	from, err := name.NewDigest(string(a.Pinned()))
	require.NoError(t, err)
	img, err := remote.Image(from)
	require.NoError(t, err)
	m, err := img.Manifest()
	require.NoError(t, err)
	l := m.Layers[len(m.Layers)-1]
	s.spoil.Store(l.Digest.String(), bytes.Repeat([]byte("x"), int(l.Size-fewer)))
}
