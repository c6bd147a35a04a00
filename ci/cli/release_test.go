package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// A test that another release ran is shown with that release.
func TestTestsThatWereTakenAreShown(t *testing.T) {
	var b strings.Builder
	first := assettest.Tag("bl01t/2026.11.1")
	writeTests(&b, []record.Test{
		{Name: record.BootTest, Of: "bl01t-a", Passed: true, From: &record.Origin{Release: first}},
		{Name: record.BootTest, Of: "bl01t-b", Passed: true},
	})
	require.Equal(t, "  boot of bl01t-a passed, tested by 2026.11.1\n  boot of bl01t-b passed\n", b.String())

	b.Reset()
	require.NoError(t, writeReport(&b, &attest.Report{
		Asset: "bl01t", Version: assettest.Version("2026.11.2"), Record: "sha256:a",
		Tested: []attest.Tested{{Release: first, Record: "sha256:b", Tests: 1}},
	}))
	require.Contains(t, b.String(), "  tests: 1       sha256:b         run by bl01t/2026.11.1, signed\n")
}
