package manifests

import (
	"testing"

	"github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"
)

// TestFluxPullsTheArtifact: with Flux's own library, the folder is what was rendered.
func TestFluxPullsTheArtifact(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-b"))
	set, err := s.read("2026.11.1")
	require.NoError(t, err)
	ref, err := set.Push(t.Context(), s.reg)
	require.NoError(t, err)
	again, err := set.Push(t.Context(), s.reg)
	require.NoError(t, err)
	require.Equal(t, ref, again, "the same record gives the same digest")

	client := oci.NewClient([]crane.Option{crane.WithContext(t.Context())})
	for _, address := range []string{string(ref), s.reg.Prefix() + "/manifests/bl01t:2026.11.1"} {
		folder := t.TempDir()
		found, err := client.Pull(t.Context(), address, folder)
		require.NoError(t, err)
		require.Equal(t, "bl01t", found.Annotations["org.opencontainers.image.title"])
		want := map[string]string{}
		for _, f := range set.Files {
			want[f.Name] = f.Text
		}
		require.Equal(t, want, files(t, folder))
	}

	// A newer tagline may write other bytes: its files take the tag.
	set.Files[0].Text += "# other\n"
	other, err := set.Push(t.Context(), s.reg)
	require.NoError(t, err)
	require.NotEqual(t, ref, other)
	now, err := s.reg.Digest(t.Context(), s.reg.Ref("manifests/bl01t", set.Version))
	require.NoError(t, err)
	require.Equal(t, other.Digest(), now)
}
