package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// password is what the tests log in with.
const password = "of-a-test-2f81"

// tokens is a registry that is logged in to with tokens for one repository and
// some time, as those of GitHub, GitLab and Harbor are.
type tokens struct {
	host  string
	inner http.Handler // the registry
	key   *ecdsa.PrivateKey

	mu     sync.Mutex
	seen   int             // requests to the registry
	expire int             // at the n-th of them, all tokens end
	valid  map[string]bool // tokens
	logins int             // requests to the token server
}

// serveTokens returns a registry below which "group/sub.group/project" may be
// written to with the password, and lets the Docker configuration hold one.
func serveTokens(t *testing.T, configured string) *tokens {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	r := &tokens{key: key, valid: map[string]bool{}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.host = strings.TrimPrefix(s.URL, "http://")

	keys := filepath.Join(t.TempDir(), "keys.json")
	text, err := json.Marshal(
		jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: string(jose.ES256)}}},
	)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keys, text, 0o600))
	c := distributionAt(t.TempDir())
	c.Auth = configuration.Auth{
		"token": {"realm": s.URL + "/token", "service": "registry", "issuer": "tests", "jwks": keys},
	}
	r.inner = handlers.NewApp(context.Background(), c)

	dir := t.TempDir()
	login := base64.StdEncoding.EncodeToString([]byte("me:" + configured))
	require.NoError(
		t,
		os.WriteFile(
			filepath.Join(dir, "config.json"),
			fmt.Appendf(nil, `{"auths": {%q: {"auth": %q}}}`, r.host, login),
			0o600,
		),
	)
	t.Setenv("DOCKER_CONFIG", dir)
	return r
}

func (r *tokens) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/token" {
		r.login(w, req)
		return
	}
	r.mu.Lock()
	if r.seen++; r.seen == r.expire {
		r.valid = map[string]bool{}
	}
	if raw := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "); !r.valid[raw] {
		req.Header.Del("Authorization") // as one that is out of date
	}
	r.mu.Unlock()
	r.inner.ServeHTTP(w, req)
}

// login returns a token for what is asked for, if it may be.
func (r *tokens) login(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logins++
	if _, p, _ := req.BasicAuth(); p != password {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"errors": [{"code": "UNAUTHORIZED", "message": "%s is not the password"}]}`, p)
		return
	}
	claims := token.ClaimSet{
		Issuer:     "tests",
		Audience:   token.AudienceList{"registry"},
		JWTID:      fmt.Sprint(r.logins),
		Expiration: time.Now().Add(time.Minute).Unix(),
	}
	for _, scope := range req.URL.Query()["scope"] {
		part := strings.Split(scope, ":")
		if len(part) == 3 && strings.HasPrefix(part[1], "group/sub.group/project/") {
			claims.Access = append(
				claims.Access,
				&token.ResourceActions{Type: part[0], Name: part[1], Actions: strings.Split(part[2], ",")},
			)
		}
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: r.key, KeyID: "1"}},
		nil,
	)
	if err == nil {
		var raw string
		if raw, err = jwt.Signed(signer).Claims(claims).Serialize(); err == nil {
			r.valid[raw] = true
			json.NewEncoder(w).Encode(map[string]any{"token": raw, "expires_in": 60})
			return
		}
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// releaseTo releases two charts, and an image that they run.
func releaseTo(t *testing.T, r *Registry) error {
	t.Helper()
	img, err := random.Image(64, 1)
	require.NoError(t, err)
	digest, err := r.push(t.Context(), r.prefix+"/ioc-simstage-runtime", img)
	if err != nil {
		return err
	}
	_, _, err = release(
		t.Context(),
		r,
		r.At("ioc-simstage-runtime", digest),
		packaged(t, "bl01t-a", "1"),
		packaged(t, "bl01t-b", "1"),
	)
	return err
}

func TestReleaseWithTokens(t *testing.T) {
	s := serveTokens(t, password)
	r := open(t, s.host+"/group/sub.group/project", Options{})
	require.NoError(t, releaseTo(t, r))
	rec, _, err := open(
		t,
		s.host+"/group/sub.group/project",
		Options{},
	).Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.NoError(t, err)
	require.Len(t, rec.Artifacts, 2)
	for _, a := range rec.Artifacts {
		there, err := r.Digest(t.Context(), a.Ref)
		require.NoError(t, err)
		require.Equal(t, a.Digest, there)
	}
	err = releaseTo(t, open(t, s.host+"/group/other", Options{}))
	require.ErrorContains(t, err, "docker login "+s.host, "another's project")
}

// TestExpiredTokensAreRenewed ends all tokens at the n-th request, for every n.
func TestExpiredTokensAreRenewed(t *testing.T) {
	healthy := serveTokens(t, password)
	require.NoError(t, releaseTo(t, open(t, healthy.host+"/group/sub.group/project", Options{})))
	for n := 1; n <= healthy.seen; n += int(stride()) {
		s := serveTokens(t, password)
		s.expire = n
		require.NoError(
			t,
			releaseTo(t, open(t, s.host+"/group/sub.group/project", Options{})),
			"request %d of %d",
			n,
			healthy.seen,
		)
	}
}

func TestWrongPasswordIsToldOnce(t *testing.T) {
	for name, o := range map[string]Options{
		"of the Docker configuration": {}, "given": {Username: "me", Password: "wrong-81c0"},
	} {
		s := serveTokens(t, "wrong-81c0")
		err := releaseTo(t, open(t, s.host+"/group/sub.group/project", o))
		require.Len(t, diag.All(err), 1, name)
		require.Equal(t, diag.Broken, diag.KindOf(err), name)
		require.ErrorContains(t, err, "log in: docker login "+s.host, name)
		require.NotContains(t, err.Error(), "wrong-81c0", name)
		require.NotContains(t, err.Error(), base64.StdEncoding.EncodeToString([]byte("me:wrong-81c0")), name)
		require.Equal(t, 1, s.logins, "%s: each try counts where accounts are locked", name)
	}
}
