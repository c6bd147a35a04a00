package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
	shown "github.com/tagline-ci/tagline/pipelines/status"
)

// TestPromotionThatFailsIsUndone promotes a release whose IOC never starts: the
// beamline stays on the version it had, and no other IOC is touched.
func TestPromotionThatFailsIsUndone(t *testing.T) {
	s, reg := newSite(t, "bl98t"), registry(t)
	s.images(reg)
	s.commit("bl98t/1.0.0")
	ok(t, s.dir, "release", "bl98t/1.0.0", "--registry", reg)
	ok(t, s.dir, "promote", "bl98t", "1.0.0", "--registry", reg)
	t.Cleanup(func() { remove(t, "bl98t") })
	before := status(t, s, "bl98t")
	require.Equal(t, "1.0.0", before.Version)
	require.Len(t, before.Instances, 2)
	for _, ioc := range before.Instances {
		require.True(t, ioc.Ready, ioc.Name)
	}

	s.write(
		s.instance("02", "values.yaml"),
		"image: ioc-simstage 1.0.0\nprobePV: BL98T-MO-IOC-02:HEARTBEAT\nnodeSelector: {no-such-node: \"true\"}\n",
	)
	s.commit("bl98t/1.0.1")
	ok(t, s.dir, "release", "bl98t/1.0.1", "--registry", reg)
	r := run(t, s.dir, "promote", "bl98t", "1.0.1", "--registry", reg, "--timeout", "20s")
	require.Equal(t, 4, r.status, r.err)
	require.Contains(t, r.err, "bl98t-mo-ioc-02")

	after := status(t, s, "bl98t")
	require.Equal(t, "1.0.0", after.Version)
	require.Equal(t, before.Instances[0].UID, after.Instances[0].UID, "an IOC that did not change was restarted")
	for _, ioc := range after.Instances {
		require.True(t, ioc.Ready, ioc.Name)
	}
}

// TestOnlyWhatChangedRestarts changes one start-up script and rolls back. What did not
// change is neither booted again by the release nor restarted by the promotion.
func TestOnlyWhatChangedRestarts(t *testing.T) {
	s, reg := newSite(t, "bl97t"), registry(t)
	s.images(reg)
	s.commit("bl97t/2026.11.1")
	ok(t, s.dir, "release", "bl97t/2026.11.1", "--registry", reg)
	ok(t, s.dir, "promote", "bl97t", "2026.11.1", "--registry", reg)
	t.Cleanup(func() { remove(t, "bl97t") })
	first := status(t, s, "bl97t")
	readsPVs(t, s, "bl97t")

	s.edit(s.instance("02", "config/st.cmd"), "iocInit", "iocInit\n# changed")
	s.commit("bl97t/2026.11.2")
	ok(t, s.dir, "release", "bl97t/2026.11.2", "--registry", reg)
	var rec record.Record
	read(t, &rec, s.dir, "record", "bl97t/2026.11.2", "--registry", reg)
	from := map[string]*record.Origin{}
	for _, test := range rec.Checks {
		from[test.Of] = test.From
	}
	require.NotNil(t, from["bl97t-mo-ioc-01"], "an IOC that did not change was booted again")
	require.Equal(t, "bl97t/2026.11.1", from["bl97t-mo-ioc-01"].Release.String())
	require.Nil(t, from["bl97t-mo-ioc-02"], "an IOC that changed was not booted")
	ok(t, s.dir, "promote", "bl97t", "2026.11.2", "--registry", reg)
	second := status(t, s, "bl97t")
	require.Equal(t, "2026.11.2", second.Version)
	require.Equal(t, first.Instances[0].UID, second.Instances[0].UID, "an IOC that did not change was restarted")
	require.NotEqual(t, first.Instances[1].UID, second.Instances[1].UID, "the IOC that changed was not restarted")

	ok(t, s.dir, "rollback", "bl97t", "--registry", reg)
	require.Regexp(
		t, `(?m)^2026\.11\.2 +yes +- +closed: the beamline is on hold: rolled back from 2026\.11\.2\n2026\.11\.1 +yes +\S+ \S+, runs +open$`,
		ok(t, s.dir, "versions", "bl97t", "--registry", reg),
	)
	third := status(t, s, "bl97t")
	require.Equal(t, "2026.11.1", third.Version)
	require.Equal(t, second.Instances[0].UID, third.Instances[0].UID)
	require.NotEqual(t, second.Instances[1].UID, third.Instances[1].UID)
}

func status(t *testing.T, s *site, line string) shown.Status {
	t.Helper()
	var st shown.Status
	read(t, &st, s.dir, "status", line)
	return st
}
