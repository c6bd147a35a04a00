package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

func headOf(t *testing.T, s *scratch) string {
	t.Helper()
	head, err := s.repo.Head()
	require.NoError(t, err)
	return head.Hash().String()
}

// TestTheDemonstrationNeedsNoCheckout: in an empty folder, and in a repository
// of somebody else's, the demonstration has this repository's assets.
func TestTheDemonstrationNeedsNoCheckout(t *testing.T) {
	theirs := t.TempDir()
	_, err := git.PlainInit(theirs, false)
	require.NoError(t, err)
	var heads []string
	for _, where := range []string{t.TempDir(), theirs} {
		s, err := demoScratch(where, t.TempDir())
		require.NoError(t, err)
		heads = append(heads, headOf(t, s))
		recipes, err := recipefile.Read(os.DirFS(s.dir))
		require.NoError(t, err)
		assert.NotNil(t, recipes.Images["ioc-simstage"])
		for _, folder := range []string{
			"beamlines/" + demoLine, "beamlines/" + demoOther, "charts/ioc-lib",
			"generic-iocs/ioc-simcamera", "generic-iocs/ioc-simstage",
		} {
			assertSameFiles(t, filepath.Join("..", "..", folder), filepath.Join(s.dir, folder))
		}
	}
	assert.Equal(t, heads[0], heads[1], "the same tagline makes the same commit")
}

// assertSameFiles: both folders hold the same files, hidden ones too.
func assertSameFiles(t *testing.T, want, got string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(want, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(want, path)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		carried, err := os.ReadFile(filepath.Join(got, rel))
		require.NoError(t, err)
		assert.Equal(t, string(text), string(carried), rel)
		return nil
	}))
}

func TestTheDemonstrationOfACheckoutIsItsHead(t *testing.T) {
	checkout, err := carriedScratch(t.TempDir())
	require.NoError(t, err)
	below := filepath.Join(checkout.dir, "beamlines")
	s, err := demoScratch(below, t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, headOf(t, checkout), headOf(t, s))
	assert.Equal(t, headOf(t, checkout)[:12], filepath.Base(s.dir))
}
