package cli

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadBuild(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	settings := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}, {Key: "vcs.revision", Value: hash},
			{Key: "vcs.time", Value: "2026-11-26T12:00:00Z"}, {Key: "vcs.modified", Value: modified},
		}
	}
	for name, c := range map[string]struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		"a release": {"v1.2.3", settings("false"),
			"tagline v1.2.3, commit 0123456789ab of 2026-11-26T12:00:00Z, go1.26.0, linux/arm64"},
		"a pre-release": {"v1.2.3-rc.1", settings("false"),
			"tagline v1.2.3-rc.1, commit 0123456789ab of 2026-11-26T12:00:00Z, go1.26.0, linux/arm64"},
		"between releases": {"v1.2.4-0.20261126120000-0123456789ab", settings("false"),
			"tagline devel, commit 0123456789ab of 2026-11-26T12:00:00Z, go1.26.0, linux/arm64"},
		"changed by hand": {"v1.2.3+dirty", settings("true"),
			"tagline devel, commit 0123456789ab of 2026-11-26T12:00:00Z, modified, go1.26.0, linux/arm64"},
		"without git":  {"(devel)", settings("")[:2], "tagline devel, go1.26.0, linux/arm64"},
		"from a proxy": {"v1.2.3", settings("")[:2], "tagline v1.2.3, go1.26.0, linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			info := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: c.settings}
			info.Main.Version = c.version
			require.Equal(t, c.want, readBuild(info).String())
		})
	}
}
