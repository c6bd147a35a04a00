package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const lockFile = "generic-iocs/epics-base/image.lock.yaml"

// TestBadInputIsRefused releases what must not be released: exit status 2, the
// file and line, the mend, and nothing published.
func TestBadInputIsRefused(t *testing.T) {
	reg := registry(t)
	tests := []struct {
		name, tag string
		break_    func(s *site)
		wants     []string
	}{
		{"tag of no asset", "bl00x/1.0.0", func(*site) {}, []string{"bl00x"}},
		{"version that Helm does not take", "bl96t/2026.09.01", func(*site) {}, []string{"2026.9.1"}},
		{"unknown key in a recipe", "ioc-simstage/1.0.1", func(s *site) {
			s.edit("generic-iocs/ioc-simstage/image.yaml", "smoke:", "smokes: []\nsmoke:")
		}, []string{"generic-iocs/ioc-simstage/image.yaml:", "smokes"}},
		{"unreleased image", "bl96t/1.0.0", func(s *site) {
			s.edit(s.instance("01", "values.yaml"), "ioc-simstage 1.0.0", "ioc-simstage 9.9.9")
		}, []string{"beamlines/bl96t/iocs/bl96t-mo-ioc-01/values.yaml", "9.9.9"}},
		{"unknown command in a start-up script", "bl96t/1.0.1", func(s *site) {
			s.edit(s.instance("02", "config/st.cmd"), "iocInit", "simstageConfigure(1)\niocInit")
		}, []string{"beamlines/bl96t/iocs/bl96t-mo-ioc-02/config/st.cmd:", "simstageConfigure"}},
		{"each fault that EPICS Base finds", "bl96t/1.0.4", func(s *site) {
			s.copy(faulty+"config", s.instance("02", "config"))
			s.edit(s.instance("02", "config/st.cmd"), "nobodyStart\n", "nobodyStart\nexit\n")
			s.edit(s.instance("02", "values.yaml"), "probePV", "startup: {within: 20s}\nprobePV")
		}, baseFaults(t, "beamlines/bl96t/iocs/bl96t-mo-ioc-02/")},
		{"missing macro in a database", "bl96t/1.0.2", func(s *site) {
			s.edit(s.instance("02", "config/st.cmd"), `"P=BL96T`, `"Q=BL96T`)
			s.edit(s.instance("02", "values.yaml"), "probePV", "startup: {within: 20s}\nprobePV")
		}, []string{"beamlines/bl96t/iocs/bl96t-mo-ioc-02/config/st.cmd:", "undefined"}},
		{"two IOCs serve one PV", "bl96t/1.0.3", func(s *site) {
			s.edit(s.instance("02", "config/st.cmd"), `P=BL96T-MO-IOC-02:`, `P=BL96T-MO-IOC-01:`)
			s.edit(s.instance("02", "values.yaml"), "BL96T-MO-IOC-02:HEARTBEAT", "BL96T-MO-STAGE-03:RBV")
		}, []string{
			"bl96t-mo-ioc-02/config/st.cmd:", "both serve BL96T-MO-IOC-01:HEARTBEAT", "bl96t-mo-ioc-01/config/st.cmd:",
		}},
		{"smoke test that fails", "ioc-simstage/1.0.2", func(s *site) {
			s.edit("generic-iocs/ioc-simstage/image.yaml", `value: "200"`, `value: "201"`)
		}, []string{"generic-iocs/ioc-simstage/image.yaml:", "SIM:STAGE:VELO is 200, not 201"}},
		{"recipe without a lock", "epics-base/7.0.8.1r1.1", func(s *site) {
			require.NoError(s.t, os.Remove(filepath.Join(s.dir, lockFile)))
		}, []string{"generic-iocs/epics-base/image.yaml: epics-base is not locked", "tagline lock epics-base"}},
		{"ref that is not the locked one", "epics-base/7.0.8.1r1.2", func(s *site) {
			s.edit("generic-iocs/epics-base/image.yaml", "R7.0.8.1", "R7.0.9")
		}, []string{lockFile + ":", "epics-base is locked at R7.0.8.1, and the recipe names R7.0.9"}},
		{"tag that has moved since it was locked", "epics-base/7.0.8.1r1.3", func(s *site) {
			s.edit(lockFile, "commit: ", "commit: deadbeefdeadbeefdeadbeefdeadbeefdeadbeef #")
		}, []string{lockFile + ": epics-base R7.0.8.1: the tag has moved"}},
		{"Debian package that has moved since it was locked", "epics-base/7.0.8.1r1.4", func(s *site) {
			s.edit(lockFile, "    gdb: ", "    gdb: 1")
		}, []string{lockFile + ": ", "the archive has moved: gdb is", "tagline lock epics-base"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, "bl96t")
			s.images(reg)
			test.break_(s)
			s.commit(test.tag)
			r := run(t, s.dir, "release", test.tag, "--registry", reg)
			require.Equal(t, 2, r.status, r.err)
			require.Empty(t, r.out)
			for _, want := range test.wants {
				require.Contains(t, r.err, want)
			}
			require.Equal(t, 2, run(t, s.dir, "record", test.tag, "--registry", reg).status, "a record was published")
		})
	}
}

// faulty has a config folder in which nearly every line is wrong, and the faults that
// an IOC of EPICS Base prints of it.
const faulty = "../../pipelines/smoke/testdata/base/"

// baseFaults returns the beginning of each of those faults, in an instance's folder.
func baseFaults(t *testing.T, folder string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(faulty + "want")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		first, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		if strings.HasSuffix(first, "did not reach the end of iocInit") {
			continue // this script goes on after an iocInit that failed
		}
		all = append(all, folder+first)
	}
	require.Greater(t, len(all), 60)
	return all
}

// TestASealedReleaseNeverChanges moves a tag after its release.
func TestASealedReleaseNeverChanges(t *testing.T) {
	s, reg := newSite(t, "bl95t"), registry(t)
	s.images(reg)
	s.commit("bl95t/1.0.0")
	first := ok(t, s.dir, "release", "bl95t/1.0.0", "--registry", reg)
	require.Equal(
		t, first, ok(t, s.dir, "release", "bl95t/1.0.0", "--registry", reg), "the same release again is not the same",
	)
	require.NoError(t, s.repo.DeleteTag("bl95t/1.0.0"))
	s.edit(s.instance("01", "config/st.cmd"), "iocInit", "iocInit\n# moved")
	s.commit("bl95t/1.0.0")
	r := run(t, s.dir, "release", "bl95t/1.0.0", "--registry", reg)
	require.Equal(t, 3, r.status, r.err)
	require.Contains(t, r.err, "tag a new version")
}
