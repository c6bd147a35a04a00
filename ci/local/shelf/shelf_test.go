package shelf

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/reach"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// gateway is an address that this machine need not have.
const gateway = "10.87.0.1"

// The test binary is also the program that Start leaves behind.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == Verb {
		if err := Serve(context.Background(), state.Dir(os.Args[2]), os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestImagesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	img, err := random.Image(1000, 2)
	require.NoError(t, err)
	want, err := img.Digest()
	require.NoError(t, err)

	withRegistry(t, dir, func(ref string) {
		require.NoError(t, Push(t.Context(), ref, img))
		require.NoError(t, Push(t.Context(), ref, img), "a second time")
	})
	withRegistry(t, dir, func(ref string) {
		tag, err := name.NewTag(ref)
		require.NoError(t, err)
		desc, err := remote.Get(tag)
		require.NoError(t, err)
		assert.Equal(t, want, desc.Digest)
		repos, err := remote.Catalog(t.Context(), tag.Registry)
		require.NoError(t, err)
		assert.Equal(t, []string{"library/debian"}, repos)
	})
}

func withRegistry(t *testing.T, dir string, work func(ref string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h, err := registryHandler(ctx, dir)
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	defer srv.Close()
	work(strings.TrimPrefix(srv.URL, "http://") + "/library/debian:trixie-slim")
}

func TestWithDotGit(t *testing.T) {
	for given, want := range map[string]string{
		"/github.com/o/r/info/refs":           "/github.com/o/r.git/info/refs",
		"/github.com/o/r.git/info/refs":       "/github.com/o/r.git/info/refs",
		"/github.com/o/r/git-upload-pack":     "/github.com/o/r.git/git-upload-pack",
		"/github.com/o/r.git/git-upload-pack": "/github.com/o/r.git/git-upload-pack",
		"/github.com/o/r/HEAD":                "/github.com/o/r/HEAD",
	} {
		assert.Equal(t, want, withDotGit(given))
	}
}

func TestABusyPortIsReplacedAndKept(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	s := state.Dir(t.TempDir())
	busy := taken.Addr().(*net.TCPAddr).Port
	require.NoError(t, state.WriteFile(
		portsFile(s), fmt.Appendf(nil, `{"registry":%d,"mirrors":%d}`, busy, busy), 0o644,
	))
	first, err := choosePorts(s, gateway)
	require.NoError(t, err)
	assert.NotEqual(t, busy, first.Registry)
	assert.NotEqual(t, busy, first.Mirrors)
	again, err := choosePorts(s, gateway)
	require.NoError(t, err)
	assert.Equal(t, first, again)
}

func TestEveryShelfOfAStateServesIt(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process")
	}
	s := state.Dir(t.TempDir())
	require.NoError(t, state.WriteFile(portsFile(s), []byte(`{}`), 0o644))
	require.NoError(t, os.MkdirAll(s.Mirrors(), 0o755))
	_, err := git.PlainInit(filepath.Join(s.Mirrors(), "github.com/o/r.git"), true)
	require.NoError(t, err)
	self := []string{os.Args[0]}
	ports, err := Start(t.Context(), s, self, gateway)
	require.NoError(t, err)
	t.Cleanup(func() { _ = Stop(context.Background(), s) })
	again, err := Start(t.Context(), s, self, gateway)
	require.NoError(t, err)
	assert.Equal(t, ports, again)
	url := fmt.Sprintf("http://127.0.0.1:%d/github.com/o/r/info/refs?service=git-upload-pack", ports.Mirrors)
	assert.NoError(t, reach.Site(t.Context(), url, 200))
	assert.True(t, strings.HasPrefix(ports.MirrorURL(), "http://"+gateway))
}
