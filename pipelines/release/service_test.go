package release

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
)

const gateway = "beamlines/bl01t/iocs/bl01t-gateway/"

// gatewayImage is no image of the site's registry.
var gatewayImage = "quay.example.org/gateway:1.2.3@sha256:" + strings.Repeat("7", 64)

// withGateway returns a beamline of two IOCs and a service that runs an image.
func withGateway(image string) map[string]string {
	files := line()
	files[gateway+"values.yaml"] = "service: a pvAccess gateway\n"
	files[gateway+"config/gateway.conf"] = "{}\n"
	files[gateway+"Chart.yaml"] = "description: the gateway of bl01t\n"
	files[gateway+"templates/deployment.yaml"] = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Chart.Name }}}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec: {containers: [{name: gateway, image: "` + image + `"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {{ (.Files.Glob "config/*").AsConfig | nindent 2 }}
`
	return files
}

// A service is packaged and never booted; the record says what it is, and its images
// are asked of the policy, wherever they are.
func TestAServiceIsReleased(t *testing.T) {
	s := newSite(t, withGateway(gatewayImage))
	s.ioc("ioc-x 1.0.0", asset.Image)
	j, w := s.beamline(booted)
	require.NoError(t, j.release(t.Context(), w))
	rec, _, err := s.Registry.Record(t.Context(), "bl01t", assettest.Version("2026.11.1"))
	require.NoError(t, err)
	require.Len(t, rec.Instances, 3)
	is := rec.Instances[2]
	require.Equal(t, record.Instance{Name: "bl01t-gateway", Chart: is.Chart, Service: "a pvAccess gateway"}, is)
	require.Equal(t, "a pvAccess gateway", is.Runs())
	for _, test := range rec.Checks {
		require.NotEqual(t, is.Name, test.Of)
	}
	archive, err := s.Registry.Chart(t.Context(), is.Chart)
	require.NoError(t, err)
	needs, err := chart.Needs(archive, rec.Namespace, "")
	require.NoError(t, err)
	require.Contains(t, needs, "image "+gatewayImage)
	text, err := chart.Render(archive, rec.Namespace)
	require.NoError(t, err)
	require.Contains(t, text, "gateway.conf:")
}

func TestAServiceThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ image, from, to, says string }{
		"an image by its tag": {
			"quay.example.org/gateway:1.2.3", "", "",
			gateway + "templates/deployment.yaml: checking the chart of service bl01t-gateway 2026.11.1: " +
				"image \"quay.example.org/gateway:1.2.3\" is not named by digest; name it with its digest",
		},
		"a Deployment of another name": {
			gatewayImage, "metadata: {name: {{ .Chart.Name }}}\nspec", "metadata: {name: gateway}\nspec",
			gateway + "templates: checking the chart of service bl01t-gateway 2026.11.1: " +
				"it has no Deployment of its name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := withGateway(c.image)
			const template = gateway + "templates/deployment.yaml"
			files[template] = strings.Replace(files[template], c.from, c.to, 1)
			s := newSite(t, files)
			s.ioc("ioc-x 1.0.0", asset.Image)
			j, w := s.beamline(booted)
			require.ErrorContains(t, j.release(t.Context(), w), c.says)
		})
	}
}

const python = "beamlines/bl01t/iocs/bl01t-python/"

var pythonImage = "ghcr.io/some-org/pyioc:1.2.3@sha256:" + strings.Repeat("7", 64)

// withPython returns a beamline of two IOCs and a service by image.
func withPython(boot string) map[string]string {
	files := line()
	files[python+"values.yaml"] = "service: a Python IOC\nimage: ghcr.io/some-org/pyioc:1.2.3\nuid: 37143\n" +
		"env: {A: x}\nboot: " + boot + "\n"
	files[python+"config/a.toml"] = "a = 1\n"
	files["beamlines/bl01t/beamline.lock.yaml"] = "images:\n  ghcr.io/some-org/pyioc:1.2.3: " + pythonImage + "\n"
	return files
}

// A service by image is tested in the image that its chart runs, and not again by a
// release that changes nothing of it.
func TestAServiceByImageIsBooted(t *testing.T) {
	s := newSite(t, withPython("{command: [python, --check]}"))
	s.ioc("ioc-x 1.0.0", asset.Image)
	key := newKey(t)
	s.signed(key)
	s.Signer = key
	var tested []smoke.Service
	release := func(version string) *record.Record {
		s.commit(nil, "bl01t/"+version)
		j, err := s.read("bl01t/" + version)
		require.NoError(t, err)
		require.NoError(t, j.trustSigner(t.Context()))
		serve := func(_ context.Context, of smoke.Service) (*record.Test, error) {
			tested = append(tested, of)
			return &record.Test{Name: record.ServiceTest, Of: of.Name, Digest: of.Image.Digest(), Passed: true}, nil
		}
		require.NoError(t, j.release(t.Context(), (&beamlineJob{job: j, boot: booted, serve: serve}).work()))
		rec, _, err := s.Registry.Record(t.Context(), "bl01t", assettest.Version(version))
		require.NoError(t, err)
		return rec
	}
	rec := release("2026.11.1")
	require.Equal(t, []smoke.Service{{
		Name: "bl01t-python", File: python + "values.yaml", Line: 5, Image: asset.Ref(pythonImage),
		Command: []string{"python", "--check"}, Within: time.Minute,
		Config: map[string][]byte{"a.toml": []byte("a = 1\n")},
		Env:    map[string]string{"A": "x"}, User: "37143:1000",
	}}, tested)
	is := rec.Instances[2]
	require.Equal(t, record.Instance{Name: "bl01t-python", Chart: is.Chart, Service: "a Python IOC"}, is)
	require.Equal(t, "its boot command passed", rec.Booted(is))
	unique := slices.IndexFunc(rec.Checks, func(c record.Test) bool { return c.Name == record.UniquePVsTest })
	require.Equal(t, []string{"2 PVs of 2 IOCs"}, rec.Checks[unique].Evidence)
	archive, err := s.Registry.Chart(t.Context(), is.Chart)
	require.NoError(t, err)
	needs, err := chart.Needs(archive, rec.Namespace, "")
	require.NoError(t, err)
	require.Equal(t, []string{"image " + pythonImage}, needs)

	again := release("2026.11.2")
	require.Len(t, tested, 1, "tested by the release before")
	require.Equal(t, "bl01t/2026.11.1", again.Checks[2].From.Release.String())
}

// Why a service is not booted is in the record.
func TestAServiceByImageThatIsNotBooted(t *testing.T) {
	s := newSite(t, withPython("{none: it wants the archive}"))
	s.ioc("ioc-x 1.0.0", asset.Image)
	j, w := s.beamline(booted)
	require.NoError(t, j.release(t.Context(), w))
	require.Equal(t, "not booted: it wants the archive", j.rec.Booted(j.rec.Instances[2]))
	require.NoError(t, j.rec.Validate())
}
