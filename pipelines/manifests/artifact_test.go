package manifests

import (
	"context"
	"errors"
	"testing"

	"github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// TestFluxPullsTheArtifact: with Flux's own library, the folder is what was rendered.
func TestFluxPullsTheArtifact(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-b"))
	set, err := s.read("2026.11.1")
	require.NoError(t, err)
	ref, err := set.Push(t.Context(), s.reg, nil)
	require.NoError(t, err)
	again, err := set.Push(t.Context(), s.reg, nil)
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
	other, err := set.Push(t.Context(), s.reg, nil)
	require.NoError(t, err)
	require.NotEqual(t, ref, other)
	now, err := s.reg.Digest(t.Context(), s.reg.Ref("manifests/bl01t", set.Version))
	require.NoError(t, err)
	require.Equal(t, other.Digest(), now)
}

// A signature is on the artifact before its tag is, made once, and of the release that
// the artifact is of.
func TestTheArtifactIsSigned(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a"))
	set, err := s.read("2026.11.1")
	require.NoError(t, err)
	other, _ := keytest.New(t)
	unsigned, err := set.Push(t.Context(), s.reg, nil)
	require.NoError(t, err)
	signatures := func() [][]byte {
		list, err := s.reg.Attached(t.Context(), unsigned, sign.MediaType, sign.Signature)
		require.NoError(t, err)
		return list
	}
	require.Empty(t, signatures())
	for range 2 {
		ref, err := set.Push(t.Context(), s.reg, s.key)
		require.NoError(t, err)
		require.Equal(t, unsigned, ref, "a signature does not change what is delivered")
		require.Len(t, signatures(), 1)
	}
	ours := s.trust("bl01t")[0]
	digest := string(unsigned.Digest())
	_, err = ours.Check(signatures()[0], digest, sign.Signature, "bl01t/2026.11.1")
	require.NoError(t, err)
	_, err = ours.Check(signatures()[0], string(s.image.Digest), sign.Signature, "bl01t/2026.11.1")
	require.Error(t, err, "it is of the artifact alone")
	_, err = ours.Check(signatures()[0], digest, sign.Release, "bl01t/2026.11.1")
	require.Error(t, err, "it is no release")

	_, err = set.Push(t.Context(), s.reg, other)
	require.NoError(t, err)
	require.Len(t, signatures(), 2, "somebody else's is beside it")
}

// broken signs nothing.
type broken struct{ *sign.Key }

func (broken) Sign(context.Context, sign.Statement) ([]byte, error) {
	return nil, errors.New("no token")
}

// What can't be signed is not tagged: Flux would find it and refuse it.
func TestAnArtifactThatCannotBeSignedIsNotTagged(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a"))
	set, err := s.read("2026.11.1")
	require.NoError(t, err)
	_, err = set.Push(t.Context(), s.reg, broken{s.key})
	require.ErrorContains(t, err, "no token")
	_, err = s.reg.Digest(t.Context(), s.reg.Ref("manifests/bl01t", set.Version))
	require.Error(t, err)
}
