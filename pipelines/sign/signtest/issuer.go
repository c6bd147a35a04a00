package signtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"
)

// Repository is the one whose workflow runs, and Workflow its identity without
// the git ref.
const (
	Repository = "some-org/site"
	Workflow   = "https://github.com/" + Repository + "/.github/workflows/release.yml"
)

// Issuer names the workflow that asks, as GitHub Actions does: an OIDC issuer with
// tokens that are really signed.
type Issuer struct {
	URL    string // the issuer's address, which certificates name
	Secret string // what a job must show to be given a token

	key    *ecdsa.PrivateKey
	ref    atomic.Value // string: the git ref that the workflow runs for
	Tokens chan string  // each token that was given
}

// RunFor lets the workflow be that of a git tag.
func (i *Issuer) RunFor(tag string) { i.ref.Store("refs/tags/" + tag) }

// TokenURL is what a job finds in ACTIONS_ID_TOKEN_REQUEST_URL.
func (i *Issuer) TokenURL() string { return i.URL + "/token?api-version=2.0" }

// NewIssuer starts an issuer at an address of this machine, which ends with the
// test.
func NewIssuer(t testing.TB, host string) *Issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &Issuer{Secret: "the-secret-of-this-job", key: key, Tokens: make(chan string, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys", "response_types_supported": []string{"id_token"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).
			Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
				Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig",
			}}})
	})
	mux.HandleFunc("GET /token", i.serveToken)
	server := httptest.NewUnstartedServer(mux)
	server.Listener.Close()
	server.Listener, err = net.Listen("tcp", host+":0")
	require.NoError(t, err)
	server.Start()
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.RunFor("bl01t/2026.11.1")
	return i
}

// serveToken answers a job that asks who it is.
func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+i.Secret {
		http.Error(w, "who are you, "+r.Header.Get("Authorization")+"?", http.StatusUnauthorized)
		return
	}
	token, err := i.Token(r.URL.Query().Get("audience"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	i.Tokens <- token
	json.NewEncoder(w).Encode(map[string]any{"count": len(token), "value": token})
}

// Token returns a signed token of the workflow, with the claims that GitHub's have.
func (i *Issuer) Token(audience string) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "1"}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return "", err
	}
	ref, now := i.ref.Load().(string), time.Now()
	workflow := strings.TrimPrefix(Workflow, "https://github.com/") + "@" + ref
	sha := strings.Repeat("0b", 20)
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer:   i.URL,
		Subject:  "repo:" + Repository + ":ref:" + ref,
		Audience: jwt.Audience{audience},
		IssuedAt: jwt.NewNumericDate(
			now,
		),
		NotBefore: jwt.NewNumericDate(now.Add(-time.Minute)),
		Expiry:    jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Claims(map[string]any{
		"job_workflow_ref":      workflow,
		"job_workflow_sha":      sha,
		"workflow_ref":          workflow,
		"workflow_sha":          sha,
		"workflow":              "release",
		"sha":                   sha,
		"ref":                   ref,
		"event_name":            "push",
		"repository":            Repository,
		"repository_id":         "1",
		"repository_owner":      "some-org",
		"repository_owner_id":   "2",
		"repository_visibility": "public",
		"runner_environment":    "github-hosted",
		"run_id":                "3",
		"run_attempt":           "1",
	}).Serialize()
}
