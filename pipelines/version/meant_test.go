package version

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// TestMeant: what is spelled nearly the same comes first, and then the newest.
func TestMeant(t *testing.T) {
	for _, c := range []struct{ typed, there, want string }{
		{"2026.11.11", "2026.11.2 2026.11.1 2026.10.4 2026.9.1", "2026.11.1 2026.11.2 2026.10.4"},
		{"2026.11.l", "2026.11.2 2026.11.1", "2026.11.2 2026.11.1"},
		{"2026.01.1", "2026.11.2 2026.10.4 2026.1.1", "2026.1.1 2026.11.2 2026.10.4"},
		{"2062.11.1", "2026.12.1 2026.11.1", "2026.11.1 2026.12.1"},
		{"1.0.0", "7.0.8.1r2.0 7.0.8.1r1.0 7.0.8r1.0 7.0.7r1.0", "7.0.8.1r2.0 7.0.8.1r1.0 7.0.8r1.0"},
		{"4.45r1.O", "4.45r1.1 4.45r1.0", "4.45r1.1 4.45r1.0"},
		{"1.0.0", "2026.11.1", "2026.11.1"},
		{"1.0.0", "", ""},
	} {
		var there []asset.Version
		for _, text := range strings.Fields(c.there) {
			there = append(there, must(t, text))
		}
		v, err := asset.ParseVersion(c.typed)
		require.NoError(t, err)
		var got []string
		for _, m := range Meant(v, there) {
			got = append(got, m.String())
		}
		require.Equal(t, c.want, strings.Join(got, " "), c.typed)
	}
}
