package helm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

func ref(digit string) asset.Ref {
	return asset.Ref("host/charts/x@sha256:" + strings.Repeat(digit, 64))
}

func revision(number int, status, digit string) Revision {
	return Revision{
		Number:   number,
		Status:   status,
		Beamline: "bl01t",
		Version:  "2026.11." + digit,
		Chart:    digestLabel(ref(digit).Digest()),
	}
}

func TestDigestLabelFitsALabel(t *testing.T) {
	require.Equal(t, strings.Repeat("1", 63), digestLabel(ref("1").Digest()))
	require.Empty(t, digestLabel(""))
	require.True(t, revision(1, "deployed", "1").IsOf(ref("1")))
	require.False(t, revision(1, "deployed", "1").IsOf(ref("2")))
	require.False(t, Revision{}.IsOf("host/charts/x:1.0.0"))
}
