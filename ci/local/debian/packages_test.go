package debian

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// fakeDebian puts a dpkg-query that knows runc, and an apt-get and dpkg that
// write down how they are called, before the machine's own. apt-get install
// fails as often as the file "failures" has lines.
func fakeDebian(t *testing.T, failures int) (calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	for name, script := range map[string]string{
		"dpkg-query": `echo "runc install ok installed"; echo "dnsmasq-base deinstall ok config-files"; exit 1`,
		"dpkg":       `echo "dpkg $*" >>` + log,
		"apt-get": `echo "apt-get $* ($DEBIAN_FRONTEND $RUNLEVEL)" >>` + log + `
case "$*" in *install*) test ! -s ` + dir + `/failures || {
	sed -i 1d ` + dir + `/failures
	echo "E: Unable to fetch some archives"
	exit 100
} ;; esac`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "failures"), []byte(strings.Repeat("x\n", failures)), 0o644))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() []string {
		b, _ := os.ReadFile(log)
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
}

func TestMissingPackages(t *testing.T) {
	fakeDebian(t, 0)
	missing := MissingPackages(t.Context(), "iptables", "runc", "dnsmasq-base")
	assert.Equal(t, []string{"iptables", "dnsmasq-base"}, missing)
	assert.Empty(t, MissingPackages(t.Context(), "runc"))
}

func TestOnlyWhatIsMissingIsInstalled(t *testing.T) {
	calls := fakeDebian(t, 0)
	var lines []string
	ctx := step.WithSink(t.Context(), func(e step.Event) { lines = append(lines, e.Name+": "+e.Line) })
	err := EnsurePackages(ctx, "runc", "iptables")
	if os.Geteuid() != 0 {
		assert.ErrorContains(t, err, "iptables missing and this is not root; run as root: apt-get install iptables")
		return
	}
	require.NoError(t, err)
	assert.Equal(t, []string{"apt-get -q install -y --no-install-recommends iptables (noninteractive 1)"}, calls())
	assert.Equal(t, []string{"packages: installing iptables"}, lines)
	require.NoError(t, EnsurePackages(ctx, "runc"))
	assert.Len(t, calls(), 1, "nothing is missing")
}

func TestAnInstallationThatWasCutShortIsFinished(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root installs")
	}
	calls := fakeDebian(t, 1)
	require.NoError(t, EnsurePackages(t.Context(), "iptables"))
	assert.Equal(t, []string{
		"apt-get -q install -y --no-install-recommends iptables (noninteractive 1)",
		"dpkg --configure -a",
		"apt-get -q update (noninteractive 1)",
		"apt-get -q install -y --no-install-recommends iptables (noninteractive 1)",
	}, calls())
}

func TestWhatCannotBeInstalledIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root installs")
	}
	fakeDebian(t, 2)
	err := EnsurePackages(t.Context(), "iptables")
	assert.ErrorContains(t, err, "installing iptables: exit status 100\nE: Unable to fetch some archives")
}
