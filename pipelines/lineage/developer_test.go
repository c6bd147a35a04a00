package lineage_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// The developer image beside an IOC is that of the release that the IOC runs, by digest,
// whatever was released since.
func TestTheDeveloperImageIsThatOfTheReleaseThatRuns(t *testing.T) {
	s := released(t)
	runs := s.release(hierarchy(t, nil), "ioc-motorsim 1.0.0", nil)
	newer := s.release(hierarchy(t, nil), "ioc-motorsim 1.0.1", nil)
	beamline := &record.Record{Instances: []record.Instance{
		{Name: "bl01t-a", IOC: assettest.Pin("ioc-other 1.0.0")},
		{Name: "bl01t-b", IOC: assettest.Pin("ioc-motorsim 1.0.0")},
	}}
	image, err := s.Developer(t.Context(), beamline, "bl01t-b")
	require.NoError(t, err)
	assert.Equal(t, runs.Image(asset.Developer).Pinned(), image)
	assert.NotEqual(t, newer.Image(asset.Developer).Digest, image.Digest())
}

// What has no developer image says so, and that a shell can be had without it.
func TestWhatHasNoDeveloperImageSaysSo(t *testing.T) {
	s := released(t)
	s.release(hierarchy(t, nil), "ioc-motorsim 1.0.0", func(rec *record.Record) {
		rec.Artifacts = rec.Artifacts[1:] // the runtime image alone
	})
	beamline := &record.Record{Instances: []record.Instance{
		{Name: "bl01t-a", IOC: assettest.Pin("ioc-motorsim 1.0.0")},
		{Name: "bl01t-gateway", Service: "gateway 2.0.1"},
		{Name: "bl01t-lost", IOC: assettest.Pin("ioc-motorsim 1.0.9")},
	}}
	for _, c := range []struct {
		runs           *record.Record
		instance, says string
	}{
		{beamline, "bl01t-a", "ioc-motorsim/1.0.0 has none; open a shell without --debug"},
		{beamline, "bl01t-gateway", "it is a service, and no IOC; open a shell without --debug"},
		{beamline, "bl01t-c", "it is not in the release that runs; open a shell without --debug"},
		{nil, "bl01t-a", "it is not in the release that runs; "}, // the first promotion is not done
		{beamline, "bl01t-lost", "reading record of ioc-motorsim 1.0.9: no such release"},
	} {
		_, err := s.Developer(t.Context(), c.runs, c.instance)
		require.ErrorContains(t, err, c.says)
		assert.Equal(t, diag.Invalid, diag.KindOf(err), c.says)
	}
}
