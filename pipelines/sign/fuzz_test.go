package sign

import (
	"sync"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/testing/data"
	"github.com/stretchr/testify/require"
)

// FuzzCheck shows to who trusts a key, and to who trusts a workflow, what
// anybody may write to a registry. Nothing is believed, and nothing ends the
// program. The corpus has a public bundle of the workflow that is trusted, of
// other content.
func FuzzCheck(f *testing.F) {
	k, keyed, _ := pairOf(f, "")
	other, _, _ := pairOf(f, "")
	_, err := keyed.Check(signed(f, k, two, Release), two, Release, tag)
	require.NoError(f, err, "what is signed well is believed")
	f.Add(signed(f, k, one, Release))
	f.Add(signed(f, k, two, "https://example.org/other"))
	f.Add(signed(f, other, two, Release))
	f.Add(unsigned(f, signed(f, k, two, Release)))
	f.Add(
		[]byte(
			`{"mediaType":"` + MediaType + `","verificationMaterial":{"certificate":{}},"dsseEnvelope":{"signatures":[{}]}}`,
		),
	)
	var once sync.Once
	var workflow *Trust
	f.Fuzz(func(t *testing.T, b []byte) {
		once.Do(func() {
			var err error
			workflow, err = (&Sigstore{root: data.TrustedRoot(t, "public-good.json")}).Trust(
				"https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
				"https://token.actions.githubusercontent.com",
			)
			require.NoError(t, err)
		})
		for _, trust := range []*Trust{keyed, workflow} {
			_, err := trust.Check(b, two, Release, tag)
			require.Error(t, err)
		}
	})
}
