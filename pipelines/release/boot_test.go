package release

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
)

// boots boots a batch of IOCs.
type boots func(context.Context, []smoke.Subject) ([]*record.Test, error)

// booted is a boot that passes, and serves the probe PVs.
func booted(_ context.Context, batch []smoke.Subject) (tests []*record.Test, _ error) {
	for _, s := range batch {
		tests = append(tests, &record.Test{
			Name: record.BootTest, Of: s.Name, Digest: s.Digest, Passed: true,
			PVs: []record.PV{{Name: s.ProbePV, Type: "ai"}},
		})
	}
	return tests, nil
}

// An instance whose config folder no ConfigMap can have gets an image of its own,
// which is in the registry before it is booted, and is what is booted.
func TestConfigThatIsALayer(t *testing.T) {
	files := line()
	files["beamlines/bl01t/iocs/bl01t-a/config/db/a.db"] = "record(ai, \"A:X\") {}\n"
	s := newSite(t, files)
	s.ioc("ioc-x 1.0.0", asset.Image)
	j, w := s.beamline(func(ctx context.Context, batch []smoke.Subject) ([]*record.Test, error) {
		require.Len(t, batch, 2, "one container boots both")
		for _, subject := range batch {
			require.Equal(t, subject.Name == "bl01t-a", subject.Own != nil)
			if subject.Own != nil {
				there, err := s.Registry.Exists(ctx, s.Registry.At("instances/bl01t-a", subject.Digest))
				require.NoError(t, err)
				require.True(t, there, "it is pushed before it is tested")
			}
		}
		return booted(ctx, batch)
	})
	require.NoError(t, j.release(t.Context(), w))
	rec, _, err := s.Registry.Record(t.Context(), "bl01t", assettest.Version("2026.11.1"))
	require.NoError(t, err)
	generic := rec.Parents.Releases[0].Ref
	require.Equal(t, s.Registry.At("instances/bl01t-a", rec.Checks[1].Digest), rec.Instances[0].Image)
	require.Equal(t, []asset.Ref{generic, generic}, []asset.Ref{
		rec.GenericIOC(rec.Instances[0]), rec.GenericIOC(rec.Instances[1]),
	})
	require.Equal(t, generic, rec.Instances[1].Image)
	require.Len(t, rec.Artifacts, 3)
	there, err := s.Registry.Exists(t.Context(), s.Registry.Ref("instances/bl01t-a", rec.Version))
	require.NoError(t, err)
	require.True(t, there, "sealing tags it")
	text, err := s.Registry.Chart(t.Context(), rec.Instances[0].Chart)
	require.NoError(t, err)
	manifests, err := chart.Render(text, "bl01t")
	require.NoError(t, err)
	require.NotContains(t, manifests, "ConfigMap")
}

// An instance is booted as the user that its pod runs it as, also where its
// files name none.
func TestAnInstanceIsBootedAsItIsDeployed(t *testing.T) {
	bl, err := beamline.Read(os.DirFS(newSite(t, line()).dir), "bl01t")
	require.NoError(t, err)
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	rec, err := s.lineage().IOC(t.Context(), bl.Instances[0].Image, "values.yaml")
	require.NoError(t, err)
	img := s.pulled(rec)
	run := ioc{rec: rec, img: img, digest: rec.Image(asset.Runtime).Digest}
	plain, own := subject(bl.Instances[0], run), subject(bl.Instances[1], run)
	require.Equal(t, "1000:1000", plain.User)
	require.EqualValues(t, 30, plain.Grace)
	require.Equal(t, "37143:37144", own.User)
	require.EqualValues(t, 5, own.Grace)
	require.Equal(t, rec.Image(asset.Runtime).Digest, plain.Digest)
}
