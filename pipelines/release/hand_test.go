package release

import (
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// What a person starts by hand is named, pinned and released, or refused before
// anything is built.
func TestWhatIsStartedByHand(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	at := "HEAD"
	for name, c := range map[string]struct {
		start func() (*dagger.Container, error)
		says  string
	}{
		"an image that the tree lacks": {
			func() (*dagger.Container, error) { return s.IOC(t.Context(), s.Repo, at, "ioc-none") }, "ioc-none",
		},
		"a revision that is none": {
			func() (*dagger.Container, error) { return s.IOC(t.Context(), s.Repo, "v9", "ioc-x") },
			"resolving revision v9",
		},
		"an instance that the beamline lacks": {
			func() (*dagger.Container, error) { return s.Instance(t.Context(), at, "bl01t", "bl01t-z", false) },
			"the instances here are bl01t-a, bl01t-b",
		},
		"an instance of an image that the tree lacks": {
			func() (*dagger.Container, error) { return s.Instance(t.Context(), at, "bl01t", "bl01t-a", true) },
			"leave out --in-tree",
		},
		"an instance without a registry": {
			func() (*dagger.Container, error) {
				p := s.Pipeline
				p.Registry = nil
				return p.Instance(t.Context(), at, "bl01t", "bl01t-a", false)
			},
			"no registry is named",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.start()
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
		})
	}
}
