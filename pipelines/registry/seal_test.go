package registry

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// pushImage stands for an image that Dagger pushed by its digest, and returns its address.
func pushImage(t testing.TB, host string) asset.Ref {
	img, err := random.Image(64, 1)
	require.NoError(t, err)
	h, err := img.Digest()
	require.NoError(t, err)
	ref := host + "/ioc-simstage-runtime@" + h.String()
	d, err := name.NewDigest(ref)
	require.NoError(t, err)
	require.NoError(t, remote.Write(d, img))
	return asset.Ref(ref)
}

// packaged returns the chart of an instance whose start-up script says what. The
// image it names is nobody's: it is the record's image that must be there.
func packaged(t testing.TB, name, what string) []byte {
	if tgz, ok := shelf.Load(name + what); ok {
		return tgz.([]byte)
	}
	image := "127.0.0.1:5000/ioc-simstage-runtime@sha256:" + strings.Repeat("ab", 32)
	pin, err := asset.ParsePin("ioc-simstage 1.0.0")
	require.NoError(t, err)
	inst := &beamline.Instance{
		Name:   name,
		Image:  pin,
		Values: beamline.Values{ProbePV: "BL01T:TIME"},
		Config: map[string][]byte{"st.cmd": []byte(what)},
	}
	tgz, err := library().Package(&beamline.Beamline{Name: "bl01t"}, inst, image, "2026.11.1")
	require.NoError(t, err)
	shelf.Store(name+what, tgz)
	return tgz
}

// library reads the library chart.
var library = sync.OnceValue(func() *chart.Library {
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	if err != nil {
		panic(err)
	}
	return lib
})

// shelf keeps charts that were packaged already: packaging is not what is tested here.
var shelf sync.Map

// release pushes the charts of two instances and seals them, as a release of a
// beamline does.
func release(ctx context.Context, r *Registry, image asset.Ref, tgzs ...[]byte) (*record.Record, asset.Digest, error) {
	rec := &record.Record{
		Schema:    record.Schema,
		Kind:      asset.Beamline,
		Asset:     "bl01t",
		Version:   assettest.Version("2026.11.1"),
		Tag:       assettest.Tag("bl01t/2026.11.1"),
		Commit:    strings.Repeat("0a", 20),
		Namespace: "bl01t",
		Tool:      "1.0.0",
	}
	rec.Artifacts = make([]record.Artifact, len(tgzs))
	g, pushing := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	for i, tgz := range tgzs {
		g.Go(func() (err error) {
			rec.Artifacts[i], err = r.PushChart(pushing, tgz)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, "", err
	}
	for _, c := range rec.Artifacts {
		rec.Instances = append(
			rec.Instances,
			record.Instance{
				Name:     c.Name,
				Chart:    c.Pinned(),
				Image:    image,
				IOC:      assettest.Pin("ioc-simstage 1.0.0"),
				ProbePV:  "BL01T:TIME",
				Protocol: "ca",
			},
		)
		rec.Checks = append(rec.Checks, record.Test{Name: "boot", Of: c.Name, Passed: true})
	}
	digest, err := r.Seal(ctx, rec)
	return rec, digest, err
}

func TestSealedReleaseIsReadBack(t *testing.T) {
	host := registrytest.Serve(t, nil)
	r, image := open(t, host, Options{}), pushImage(t, host)
	rec, digest, err := release(t.Context(), r, image, packaged(t, "bl01t-a", "1"), packaged(t, "bl01t-b", "1"))
	require.NoError(t, err)

	got, same, err := r.Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.NoError(t, err)
	require.Equal(t, digest, same)
	require.Equal(t, rec, got)
	versions, err := r.Records(t.Context(), "bl01t")
	require.NoError(t, err)
	require.Equal(t, []asset.Version{parse(t, "2026.11.1")}, versions)
	for _, a := range rec.Artifacts {
		at, err := r.Digest(t.Context(), a.Ref)
		require.NoError(t, err)
		require.Equal(t, a.Digest, at)
	}
}

func TestSealedReleaseNeverChanges(t *testing.T) {
	host := registrytest.Serve(t, nil)
	r, image := open(t, host, Options{}), pushImage(t, host)
	first, digest, err := release(t.Context(), r, image, packaged(t, "bl01t-a", "1"))
	require.NoError(t, err)

	_, again, err := release(t.Context(), r, image, packaged(t, "bl01t-a", "1"))
	require.NoError(t, err, "the same content again")
	require.Equal(t, digest, again)

	_, _, err = release(t.Context(), r, image, packaged(t, "bl01t-a", "2"))
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, string(digest))
	require.ErrorContains(t, err, "tag a new version")
	_, still, err := r.Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.NoError(t, err)
	require.Equal(t, digest, still)
	at, err := r.Digest(t.Context(), first.Artifacts[0].Ref)
	require.NoError(t, err)
	require.Equal(t, first.Artifacts[0].Digest, at)
}

func TestRecordNamesNothingThatIsNotThere(t *testing.T) {
	host := registrytest.Serve(t, nil)
	r := open(t, host, Options{})
	image := asset.Ref(host + "/ioc-simstage-runtime@sha256:" + strings.Repeat("ab", 32))
	_, _, err := release(t.Context(), r, image, packaged(t, "bl01t-a", "1"))
	require.ErrorContains(t, err, string(image))
	versions, err := r.Records(t.Context(), "bl01t")
	require.NoError(t, err)
	require.Empty(t, versions)
}

func TestMissingRelease(t *testing.T) {
	r := open(t, registrytest.Serve(t, nil), Options{})
	_, _, err := r.Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.ErrorIs(t, err, ErrNotFound)
	_, err = r.Digest(t.Context(), r.Ref("x", parse(t, "1.0.0")))
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
