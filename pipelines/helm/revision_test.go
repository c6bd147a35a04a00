package helm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// Secrets that are no releases are passed over, and releases that Tagline did not
// make are nobody's chart.
func TestRevisionsOfSecrets(t *testing.T) {
	secret := func(labels map[string]string) metav1.PartialObjectMetadata {
		return metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Labels: labels}}
	}
	h := Revisions([]metav1.PartialObjectMetadata{
		secret(map[string]string{"name": "a", "version": "9", "status": "superseded"}),
		secret(map[string]string{"name": "a", "version": "10", "status": "pending-upgrade"}),
		secret(map[string]string{"name": "a", "version": "latest"}), secret(nil),
	})
	require.Equal(t, History{"a": {
		{Instance: "a", Number: 10, Status: "pending-upgrade"}, {Instance: "a", Number: 9, Status: "superseded"},
	}}, h)
	require.True(t, h["a"][0].Interrupted())
	require.False(t, h["a"][0].Runs() || h["a"][0].IsOf(ref("1")) || h["a"][1].Interrupted())
}
