package manifests

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// site is a registry with a signed release of a generic IOC, and a key that signs more.
type site struct {
	*testing.T
	host  string
	reg   *registry.Registry
	key   *sign.Key
	trust attest.Trusted
	image record.Artifact // what instances run
	spoil registrytest.Spoil
}

func newSite(t *testing.T) *site {
	s := &site{T: t}
	s.host = registrytest.Serve(t, s.spoil.Layer)
	key, public := keytest.New(t)
	s.key = key
	trust, err := sign.TrustKeys(public)
	require.NoError(t, err)
	s.trust = attest.Anyone(trust)
	s.open()

	developer := s.push("ioc-simstage-developer", "developer")
	s.image = s.push("ioc-simstage-runtime", "runtime")
	s.seal(true, &record.Record{
		Kind: asset.Image, Asset: "ioc-simstage", Version: assettest.Version("1.0.0"),
		Artifacts: []record.Artifact{developer, s.image},
		Checks:    []record.Test{{Name: record.SmokeTest, Of: "ioc-simstage", Passed: true}},
		Parents: record.Parents{
			Root: asset.Ref("docker.io/library/debian:trixie@sha256:" + strings.Repeat("ab", 32)),
		},
	})
	return s
}

// open opens the registry anew: it remembers nothing.
func (s *site) open() {
	var err error
	s.reg, err = registry.New(s.host, registry.Options{})
	require.NoError(s, err)
}

// push pushes an image.
func (s *site) push(path string, target asset.Target) record.Artifact {
	img, err := random.Image(32, 1)
	require.NoError(s, err)
	h, err := img.Digest()
	require.NoError(s, err)
	ref, err := name.NewDigest(s.host + "/" + path + "@" + h.String())
	require.NoError(s, err)
	require.NoError(s, remote.Write(ref, img))
	return record.Artifact{
		Name: path, Type: record.ImageType, Target: target, Ref: asset.Ref(s.host + "/" + path + ":1.0.0"),
		Digest: asset.Digest(h.String()),
	}
}

// seal seals a release, with a signature or without.
func (s *site) seal(signed bool, rec *record.Record) {
	rec.Schema, rec.Tool, rec.Commit = record.Schema, "1.0.0", strings.Repeat("0a", 20)
	rec.Tag = asset.Tag{Asset: rec.Asset, Version: rec.Version}
	if signed {
		require.NoError(s, attest.Signer{Registry: s.reg, By: s.key}.Record(s.Context(), rec))
	}
	_, err := s.reg.Seal(s.Context(), rec)
	require.NoError(s, err)
}

// release releases bl01t with the files of its instances, by their paths below iocs/.
func (s *site) release(version string, signed bool, files map[string]string) *record.Record {
	tree := fstest.MapFS{
		"charts/ioc-lib/Chart.yaml": {Data: []byte("name: ioc-lib\n")},
		"beamlines/bl01t/beamline.yaml": {
			Data: []byte("namespace: p45\nvalues: {uid: 1000, gid: 1000, memory: 256Mi, autosave: 100Mi}\n"),
		},
	}
	for file, text := range files {
		tree["beamlines/bl01t/iocs/"+file] = &fstest.MapFile{Data: []byte(text)}
	}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(s, err)
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(s, err)
	rec := &record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version(version), Namespace: "p45",
		Parents: record.Parents{Releases: []record.Parent{{
			Asset: "ioc-simstage", Version: assettest.Version("1.0.0"), Ref: s.image.Pinned(), Digest: s.image.Digest,
		}}},
	}
	for _, inst := range bl.Instances {
		tgz, err := lib.Package(bl, inst, string(s.image.Pinned()), version)
		require.NoError(s, err)
		pushed, err := s.reg.PushChart(s.Context(), tgz)
		require.NoError(s, err)
		rec.Artifacts = append(rec.Artifacts, pushed)
		rec.Instances = append(rec.Instances, record.Instance{
			Name: inst.Name, Chart: pushed.Pinned(), Image: s.image.Pinned(), IOC: inst.Image, ProbePV: "X",
			Protocol: "ca",
		})
		rec.Checks = append(rec.Checks, record.Test{Name: record.BootTest, Of: inst.Name, Passed: true})
	}
	s.seal(signed, rec)
	return rec
}

// read reads a release under the site's trust.
func (s *site) read(version string) (*Set, error) {
	return Read(s.Context(), s.reg, s.trust, "bl01t", assettest.Version(version), "")
}

// plain are the files of instances.
func plain(names ...string) map[string]string {
	files := map[string]string{}
	for _, n := range names {
		files[n+"/values.yaml"] = "image: ioc-simstage 1.0.0\nprobePV: " + n + "\n"
		files[n+"/config/st.cmd"] = "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\n" +
			"ioc_registerRecordDeviceDriver(pdbbase)\niocInit\n"
	}
	return files
}

// own are the files of bl01t-a with a template of its own.
func own(template string) map[string]string {
	files := plain("bl01t-a")
	files["bl01t-a/Chart.yaml"] = "description: x\n"
	files["bl01t-a/templates/own.yaml"] = template
	return files
}

// TestTheSameRecordGivesTheSameBytes: each instance has a file, whose first line names
// the record.
func TestTheSameRecordGivesTheSameBytes(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-b"))
	first, err := s.read("2026.11.1")
	require.NoError(t, err)
	s.open()
	second, err := s.read("2026.11.1")
	require.NoError(t, err)
	require.Equal(t, first, second)

	var names []string
	for _, f := range first.Files {
		names = append(names, f.Name)
		require.True(t, strings.HasPrefix(
			f.Text,
			"# Written by tagline render from bl01t 2026.11.1, record "+string(first.Record)+"; do not edit\n",
		), f.Text)
	}
	require.Equal(t, []string{"bl01t-a.yaml", "bl01t-b.yaml", "kustomization.yaml"}, names)
	require.Contains(t, first.Files[0].Text, "image: \""+string(s.image.Pinned())+"\"\n")
	require.Equal(t, first.Files[0].Text+first.Files[1].Text, first.Stream())
	require.NotEmpty(t, first.Signer)
}

// TestWhatIsNotSignedIsRefused: where signers are asked for, as at the gate.
func TestWhatIsNotSignedIsRefused(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", false, plain("bl01t-a"))
	_, err := s.read("2026.11.1")
	require.ErrorContains(t, err, "verifying bl01t 2026.11.1: ")
	require.ErrorContains(t, err, "it has no signed")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	set, err := Read(t.Context(), s.reg, nil, "bl01t", assettest.Version("2026.11.1"), "")
	require.NoError(t, err)
	require.Empty(t, set.Signer)
	_, err = Read(t.Context(), s.reg, s.trust, "ioc-simstage", assettest.Version("1.0.0"), "")
	require.ErrorContains(t, err, "it is a release of kind image; name a beamline")
}

// TestTheReleaseOfAnImageIsVerifiedToo: by those who are trusted with it.
func TestTheReleaseOfAnImageIsVerifiedToo(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a"))
	all := s.trust
	s.trust = func(name asset.Name) []*sign.Trust {
		if name != "bl01t" {
			return nil
		}
		return all(name)
	}
	_, err := s.read("2026.11.1")
	require.ErrorContains(t, err, "verifying ioc-simstage 1.0.0: ")
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

// TestAnAlteredChartIsRefused: in the registry lies another than was released.
func TestAnAlteredChartIsRefused(t *testing.T) {
	s := newSite(t)
	rec := s.release("2026.11.1", true, plain("bl01t-a"))
	ref, err := name.NewDigest(string(rec.Instances[0].Chart))
	require.NoError(t, err)
	img, err := remote.Image(ref)
	require.NoError(t, err)
	m, err := img.Manifest()
	require.NoError(t, err)
	for _, part := range []string{string(rec.Instances[0].Chart.Digest()), m.Layers[0].Digest.String()} {
		s.open()
		s.spoil.Store(part, []byte("{}"))
		_, err = s.read("2026.11.1")
		require.ErrorContains(t, err, "charts/bl01t-a@sha256:")
		s.spoil.Delete(part)
	}
	s.open()
	_, err = s.read("2026.11.1")
	require.NoError(t, err)
}

// TestWhatCannotBeDelivered: the charts that a folder would not hold as they are.
func TestWhatCannotBeDelivered(t *testing.T) {
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own"
	for says, template := range map[string]string{
		"objects in the namespace other": configMap + ", namespace: other}\n",
		"something else each time":       configMap + "}\ndata: {x: \"{{ randAlphaNum 20 }}\"}\n",
		"its image busybox is not by digest": "apiVersion: v1\nkind: Pod\nmetadata: {name: own}\n" +
			"spec: {containers: [{name: x, image: busybox}]}\n",
	} {
		t.Run(says, func(t *testing.T) {
			s := newSite(t)
			s.release("2026.11.1", true, own(template))
			_, err := s.read("2026.11.1")
			require.ErrorContains(t, err, "rendering bl01t-a 2026.11.1: ")
			require.ErrorContains(t, err, says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}
