package registry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// open returns a registry that is quick to try again.
func open(t testing.TB, prefix string, o Options) *Registry {
	r, err := New(prefix, o)
	require.NoError(t, err)
	require.NoError(t, r.connect(o, remote.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 3}))
	r.settle = 50 * time.Millisecond
	return r
}

func parse(t testing.TB, s string) asset.Version {
	v, err := asset.ParseVersion(s)
	require.NoError(t, err)
	return v
}

func TestNew(t *testing.T) {
	for prefix, want := range map[string]string{
		"127.0.0.1:5000":                                            "127.0.0.1:5000",
		"ghcr.io/Some-Org":                                          "ghcr.io/some-org",
		"oci://ghcr.io/a/b/":                                        "ghcr.io/a/b",
		"docker.io/somebody":                                        "docker.io/somebody",
		"registry.gitlab.com/G":                                     "registry.gitlab.com/g",
		"localhost:5000/tagline":                                    "localhost:5000/tagline",
		"registry.gitlab.com/group/sub.group/project":               "registry.gitlab.com/group/sub.group/project",
		"harbor.example.org/controls/bl01t":                         "harbor.example.org/controls/bl01t",
		"europe-west1-docker.pkg.dev/some-project/tagline/controls": "europe-west1-docker.pkg.dev/some-project/tagline/controls",
	} {
		r, err := New(prefix, Options{})
		require.NoError(t, err, prefix)
		require.Equal(t, want, r.Prefix())
	}
	for _, prefix := range []string{"", "some-org", "https://ghcr.io/x", "ghcr.io/a b", "ghcr.io/a:1", "a/b"} {
		_, err := New(prefix, Options{})
		require.ErrorContains(t, err, "write host and folder", prefix)
	}
}

func TestRefSpellsTheVersionAsATag(t *testing.T) {
	r := open(t, "ghcr.io/Org", Options{})
	require.EqualValues(
		t, "ghcr.io/org/ioc-simstage-runtime:1.0.0_b1", r.Ref("ioc-simstage-runtime", parse(t, "1.0.0+b1")),
	)
}
