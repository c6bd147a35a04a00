package registry

import (
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	helm "helm.sh/helm/v3/pkg/registry"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// serveDistribution returns the address of the registry that most others are made of.
func serveDistribution(t testing.TB) string {
	s := httptest.NewServer(handlers.NewApp(context.Background(), distributionAt(t.TempDir())))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func distributionAt(dir string) *configuration.Configuration {
	logrus.SetOutput(io.Discard)
	c := &configuration.Configuration{
		Storage: configuration.Storage{"filesystem": configuration.Parameters{"rootdirectory": dir}},
	}
	c.HTTP.Secret = "x"
	c.Catalog.MaxEntries = 1000
	return c
}

func TestReleaseToDistribution(t *testing.T) {
	host := serveDistribution(t)
	r, image := open(t, host+"/some/Folder", Options{}), pushImage(t, host+"/some/folder")
	versions, err := r.Records(t.Context(), "bl01t")
	require.NoError(t, err)
	require.Empty(t, versions)
	rec, digest, err := release(t.Context(), r, image, packaged(t, "bl01t-a", "1"), packaged(t, "bl01t-b", "1"))
	require.NoError(t, err)
	got, same, err := r.Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.NoError(t, err)
	require.Equal(t, digest, same)
	require.Equal(t, rec, got)
	versions, err = r.Records(t.Context(), "bl01t")
	require.NoError(t, err)
	require.Equal(t, []asset.Version{parse(t, "2026.11.1")}, versions)
}

func TestHelmPullsWhatWasPushed(t *testing.T) {
	require.Equal(t, helm.ConfigMediaType, content.ChartConfig)
	require.Equal(t, helm.ChartLayerMediaType, content.ChartLayer)
	for name, host := range map[string]string{
		"ggcr": registrytest.Serve(t, nil), "distribution": serveDistribution(t),
	} {
		t.Run(name, func(t *testing.T) {
			r, image, tgz := open(t, host, Options{}), pushImage(t, host), packaged(t, "bl01t-a", "1")
			rec, _, err := release(t.Context(), r, image, tgz)
			require.NoError(t, err)
			c, err := helm.NewClient(
				helm.ClientOptPlainHTTP(),
				helm.ClientOptCredentialsFile(t.TempDir()+"/none.json"),
			)
			require.NoError(t, err)
			pulled, err := c.Pull(string(rec.Artifacts[0].Ref))
			require.NoError(t, err)
			require.Equal(t, tgz, pulled.Chart.Data)
			require.EqualValues(t, rec.Artifacts[0].Digest, pulled.Manifest.Digest)
			require.Equal(t, "bl01t-a", pulled.Chart.Meta.Name)
			ours, err := r.Chart(t.Context(), rec.Artifacts[0].Pinned())
			require.NoError(t, err)
			require.Equal(t, tgz, ours)
		})
	}
}
