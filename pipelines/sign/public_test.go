package sign

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/stretchr/testify/require"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// published is a repository that says what a Sigstore is, signed by one key for
// every role, until expires. It returns the repository's files by their path.
func published(t testing.TB, trusted, config []byte, expires time.Time) map[string][]byte {
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	signer, err := signature.LoadSigner(private, crypto.Hash(0))
	require.NoError(t, err)
	key, err := metadata.KeyFromPublicKey(private.Public())
	require.NoError(t, err)
	first, targets, snapshot, timestamp := metadata.Root(
		expires,
	), metadata.Targets(
		expires,
	), metadata.Snapshot(
		expires,
	), metadata.Timestamp(
		expires,
	)
	files := map[string][]byte{}
	for name, text := range map[string][]byte{"trusted_root.json": trusted, "signing_config.v0.2.json": config} {
		info, err := metadata.TargetFile().FromBytes(name, text, "sha256")
		require.NoError(t, err)
		targets.Signed.Targets[name] = info
		files[fmt.Sprintf("/targets/%x.%s", sha256.Sum256(text), name)] = text
	}
	for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
		require.NoError(t, first.Signed.AddKey(key, role))
	}
	written := func(file string, text []byte, err error) {
		require.NoError(t, err)
		files[file] = text
	}
	for _, sign := range []func() error{
		func() error { _, err := first.Sign(signer); return err },
		func() error { _, err := targets.Sign(signer); return err },
		func() error { _, err := snapshot.Sign(signer); return err },
		func() error { _, err := timestamp.Sign(signer); return err },
	} {
		require.NoError(t, sign())
	}
	text, err := first.ToBytes(false)
	written("/1.root.json", text, err)
	text, err = targets.ToBytes(false)
	written("/1.targets.json", text, err)
	text, err = snapshot.ToBytes(false)
	written("/1.snapshot.json", text, err)
	text, err = timestamp.ToBytes(false)
	written("/timestamp.json", text, err)
	return files
}

// TestSigstoreIsFetched asks a repository like that of the public instance, by
// the same protocol.
func TestSigstoreIsFetched(t *testing.T) {
	trusted := trustedRoot(t)
	config := []byte(`{"mediaType":"` + root.SigningConfigMediaType02 + `"}`)
	tomorrow := time.Now().Add(24 * time.Hour)
	good := published(t, trusted, config, tomorrow)
	for name, c := range map[string]struct {
		files map[string][]byte
		harm  func(map[string][]byte)
		says  string
	}{
		"as it is": {good, nil, ""},
		"a trusted root of another": {
			published(t, trusted, config, tomorrow), func(f map[string][]byte) { replace(f, trusted, trustedRoot(t)) },
			"fetching the trusted root",
		},
		"no longer kept": {published(t, trusted, config, time.Now().Add(-time.Hour)), nil, "expired"},
		"signed by another": {
			published(t, trusted, config, tomorrow),
			func(f map[string][]byte) { f["/1.root.json"] = good["/1.root.json"] }, "fetching the trusted root",
		},
		"nothing there": {map[string][]byte{"/1.root.json": good["/1.root.json"]}, nil, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			if c.harm != nil {
				c.harm(c.files)
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, ok := c.files[r.URL.Path]
				if !ok {
					http.NotFound(w, r)
					return
				}
				w.Write(text)
			}))
			defer server.Close()
			s, err := fetchSigstore(t.Context(), server.URL, c.files["/1.root.json"])
			left, e := os.ReadDir(home)
			require.NoError(t, e)
			require.Empty(t, left, "something was kept on disk")
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.NotNil(t, s.services)
			_, err = s.Trust("a@example.org", "https://example.org")
			require.NoError(t, err)
		})
	}
}

// replace returns other content under the address of what was there.
func replace(files map[string][]byte, was, is []byte) {
	files[fmt.Sprintf("/targets/%x.trusted_root.json", sha256.Sum256(was))] = is
}
