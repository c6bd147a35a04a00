package sign

import (
	"testing"

	"github.com/sigstore/sigstore-go/pkg/testing/data"
	"github.com/stretchr/testify/require"
)

// FuzzCheck shows to who trusts a key, and to who trusts a workflow, what
// anybody may write to a registry. Nothing is believed, and nothing ends the
// program.
func FuzzCheck(f *testing.F) {
	k, keyed, _ := pairOf(f, "")
	other, _, _ := pairOf(f, "")
	t := &testing.T{}
	public, err := data.Bundle(t, "sigstore.js@2.0.0-provenance.sigstore.json").MarshalJSON()
	require.NoError(f, err)
	s := &Sigstore{root: data.TrustedRoot(t, "public-good.json")}
	workflow, err := s.Trust(
		"https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
		"https://token.actions.githubusercontent.com",
	)
	require.NoError(f, err)
	f.Add(signed(f, k, one, Release))
	f.Add(signed(f, other, two, Release))
	f.Add(unsigned(f, signed(f, k, two, Release)))
	f.Add(public)
	f.Add(
		[]byte(
			`{"mediaType":"` + MediaType + `","verificationMaterial":{"certificate":{}},"dsseEnvelope":{"signatures":[{}]}}`,
		),
	)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, trust := range []*Trust{keyed, workflow} {
			_, err := trust.Check(b, two, Release, tag)
			require.Error(t, err)
		}
	})
}
