package diff

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// TestOfReadsPublishedCharts: what an own chart needs is read from the one that was
// published, whatever the tree says by now; the others are not fetched.
func TestOfReadsPublishedCharts(t *testing.T) {
	server := httptest.NewServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	reg, err := registry.New(strings.TrimPrefix(server.URL, "http://"), registry.Options{})
	require.NoError(t, err)
	tree := files1(map[string]string{
		"beamlines/bl/iocs/bl-a/Chart.yaml":       "description: x\n",
		"beamlines/bl/iocs/bl-a/templates/x.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
	})
	bl, err := beamline.Read(tree, "bl")
	require.NoError(t, err)
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(t, err)
	image := "host/ioc-runtime@sha256:" + strings.Repeat("ab", 32)
	tgz, err := lib.Package(bl, bl.Instances[0], image, "1.0.0")
	require.NoError(t, err)
	pushed, err := reg.PushChart(t.Context(), tgz)
	require.NoError(t, err)

	rec := beamlineRecord("1.0.0")
	rec.Instances = []record.Instance{
		{Name: "bl-a", Chart: pushed.Pinned(), Image: asset.Ref(image)},
		{Name: "bl-b", Chart: reg.At("charts/bl-b", "sha256:"+asset.Digest(strings.Repeat("ab", 32)))},
	}
	rel, err := Of(t.Context(), reg, rec, tree)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"bl-a": {"kind Service"}}, rel.Needs)
	rec.Instances[0].Chart = rec.Instances[1].Chart
	_, err = Of(t.Context(), reg, rec, tree)
	require.ErrorContains(t, err, "charts/bl-b")
}
