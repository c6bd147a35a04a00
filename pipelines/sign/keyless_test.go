package sign

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/testing/data"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign/signtest"
)

const tag = "bl01t/2026.11.1"

// instance is a Sigstore of real parts, and a workflow that signs with it.
func instance(t testing.TB, i *signtest.Issuer, others ...*signtest.Issuer) (*Sigstore, *Keyless) {
	parts := signtest.Start(t, signtest.Local, append(others, i)...)
	s, err := ReadSigstore(parts.TrustedRoot, parts.SigningConfig)
	require.NoError(t, err)
	return s, s.Signer(ActionsToken(i.TokenURL(), i.Secret))
}

func keyless(t testing.TB, k *Keyless) []byte {
	b, err := k.Sign(t.Context(), Statement{Name: "x", Digest: one, Kind: Release, Predicate: map[string]int{"n": 1}})
	require.NoError(t, err)
	return b
}

// TestKeyless signs with a workflow's identity at a real Fulcio, Rekor and
// timestamp authority.
func TestKeyless(t *testing.T) {
	issuer, another := signtest.NewIssuer(t, signtest.Local), signtest.NewIssuer(t, signtest.Local)
	s, k := instance(t, issuer, another)
	good := keyless(t, k)
	trusted := func(identity, issuer string) *Trust {
		trust, err := s.Trust(identity, issuer)
		require.NoError(t, err)
		return trust
	}
	trust := trusted(signtest.Workflow, issuer.URL)

	require.True(t, trust.Names(SignedBy(good), tag))
	require.False(t, trust.Names(SignedBy(good), "bl01t/2026.11.2"), "the run for another tag")
	believed(t, good, trust, trusted(signtest.Workflow+"@refs/tags/"+tag, issuer.URL))
	own, err := k.Trust(t.Context())
	require.NoError(t, err)
	_, err = own.Check(keyless(t, k), one, Release, tag)
	require.NoError(t, err)
	require.Len(t, issuer.Tokens, 1, "a release needs one certificate")

	other, otherK := instance(t, issuer)
	key, keyed, _ := pairOf(t, "")
	elsewhere := keyless(t, otherK)
	disbelieved(t, issuer, map[string]claim{
		"another workflow": {
			trusted("https://github.com/some-org/other/.github/workflows/release.yml", issuer.URL), good, one, Release,
			tag, "expected SAN value",
		},
		"the beginning of a workflow": {
			trusted(signtest.Workflow[:len(signtest.Workflow)-1], issuer.URL), good, one, Release, tag,
			"expected SAN value",
		},
		"the run for another tag": {trust, good, one, Release, "bl01t/2026.11.2", "expected SAN value"},
		"no tag":                  {trust, good, one, Release, "", "expected SAN value"},
		"another issuer": {
			trusted(signtest.Workflow, another.URL), good, one, Release, tag, "expected issuer value",
		},
		"the same name, of another": {
			trust, keyless(t, s.Signer(ActionsToken(another.TokenURL(), another.Secret))), one, Release, tag,
			"expected issuer value",
		},
		"a certificate of another CA": {
			mixed(t, issuer.URL, s, other.root.FulcioCertificateAuthorities(), nil), good, one, Release, tag,
			"failed to verify leaf certificate",
		},
		"a certificate that is in no log": {
			mixed(
				t, issuer.URL, s, s.root.FulcioCertificateAuthorities(),
				data.TrustedRoot(t, "public-good.json").CTLogs(),
			),
			good, one, Release, tag, "signed certificate timestamp",
		},
		"another Sigstore": {trust, elsewhere, one, Release, tag, "0 < 1"},
		"another thing":    {trust, good, two, Release, tag, "does not match any digest in statement"},
		"another kind":     {trust, good, one, SBOM, tag, "it is a "},
		"altered": {
			trust, altered(t, good, `{"n":1}`, `{"n":2}`), one, Release, tag, "verifying log entry",
		},
		"no signature": {trust, unsigned(t, good), one, Release, tag, "verifying log entry"},
		"nobody saw when it was signed": {
			trust, without(t, good, "timestampVerificationData"), one, Release, tag, "failed to verify timestamps",
		},
		"not in the log":           {trust, without(t, good, "tlogEntries"), one, Release, tag, "0 < 1"},
		"the log entry of another": {trust, with(t, good, elsewhere, "tlogEntries"), one, Release, tag, "0 < 1"},
		"the time of another signature": {
			trust, with(t, good, keyless(t, k), "timestampVerificationData"), one, Release, tag,
			"hashed messages don't match",
		},
		"the certificate of another": {
			trust, with(t, good, elsewhere, "certificate"), one, Release, tag, "verifying log entry",
		},
		"a key, where a workflow should": {trust, signed(t, key, one, Release), one, Release, tag, "0 < 1"},
		"a workflow, where a key should": {keyed, good, one, Release, tag, "expected key signature"},
	})
	theirs, err := other.Trust(signtest.Workflow, issuer.URL)
	require.NoError(t, err)
	_, err = theirs.Check(elsewhere, one, Release, tag)
	require.NoError(t, err, "the other CA's own do not refuse it")
	noTokens(t, issuer, string(good))
}

// believed checks that each of these trusts what is signed.
func believed(t *testing.T, signed []byte, all ...*Trust) {
	for _, trust := range all {
		body, err := trust.Check(signed, one, Release, tag)
		require.NoError(t, err)
		require.JSONEq(t, `{"n":1}`, string(body))
	}
}

// claim is a signed statement that must not be believed.
type claim struct {
	trust             *Trust
	signed            []byte
	digest, kind, tag string
	says              string
}

// disbelieved checks that each claim is refused, without a token in the reason.
func disbelieved(t *testing.T, issuer *signtest.Issuer, claims map[string]claim) {
	for name, c := range claims {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := c.trust.Check(c.signed, c.digest, c.kind, c.tag)
			require.ErrorContains(t, err, c.says)
			noTokens(t, issuer, err.Error())
		})
	}
}

// mixed trusts the log and the clock of an instance, and other certificates.
func mixed(
	t testing.TB,
	issuer string,
	s *Sigstore,
	from []root.CertificateAuthority,
	logs map[string]*root.TransparencyLog,
) *Trust {
	r, err := root.NewTrustedRoot(
		root.TrustedRootMediaType01,
		from,
		logs,
		s.root.TimestampingAuthorities(),
		s.root.RekorLogs(),
	)
	require.NoError(t, err)
	trust, err := (&Sigstore{root: r}).Trust(signtest.Workflow, issuer)
	require.NoError(t, err)
	return trust
}

// noTokens sees that text holds no token, nor what tokens are asked with.
func noTokens(t testing.TB, i *signtest.Issuer, text string) {
	require.NotContains(t, text, i.Secret)
	for n := len(i.Tokens); n > 0; n-- {
		token := <-i.Tokens
		i.Tokens <- token
		require.NotContains(t, text, token)
	}
}

// without takes a part of a bundle's verification material away.
func without(t testing.TB, signed []byte, part string) []byte {
	return material(t, signed, func(m map[string]any) { delete(m, part) })
}

// with puts the part of another bundle in the place of a bundle's own.
func with(t testing.TB, signed, other []byte, part string) []byte {
	var taken any
	material(t, other, func(m map[string]any) { taken = m[part] })
	require.NotNil(t, taken)
	return material(t, signed, func(m map[string]any) { m[part] = taken })
}

func material(t testing.TB, signed []byte, change func(map[string]any)) []byte {
	var b map[string]any
	require.NoError(t, json.Unmarshal(signed, &b))
	change(b["verificationMaterial"].(map[string]any))
	out, err := json.Marshal(b)
	require.NoError(t, err)
	return out
}

// TestFulcioRefuses asks a real Fulcio for certificates that it refuses.
func TestFulcioRefuses(t *testing.T) {
	known, unknown := signtest.NewIssuer(t, signtest.Local), signtest.NewIssuer(t, signtest.Local)
	s, _ := instance(t, known)
	for name, token := range map[string]Token{
		"an issuer it does not know": ActionsToken(unknown.TokenURL(), unknown.Secret),
		"a token for somebody else":  func(context.Context) (string, error) { return known.Token("elsewhere") },
	} {
		_, err := s.Signer(token).Sign(t.Context(), Statement{Name: "x", Digest: one, Kind: Release})
		require.ErrorContains(t, err, "for a certificate: Fulcio returned 4", name)
		require.Equal(t, diag.Broken, diag.KindOf(err))
		noTokens(t, unknown, err.Error())
	}
}

// TestTokensStayOutOfErrors asks parts whose answers repeat the request.
func TestTokensStayOutOfErrors(t *testing.T) {
	issuer := signtest.NewIssuer(t, signtest.Local)
	_, err := ActionsToken(issuer.TokenURL(), "a-wrong-secret")(t.Context())
	require.ErrorContains(t, err, "it answered 401")
	require.ErrorContains(t, err, "id-token: write")
	require.NotContains(t, err.Error(), "a-wrong-secret")
	_, err = ActionsToken("http://127.0.0.1:1/a-wrong-secret", "a-wrong-secret")(t.Context())
	require.NotContains(t, err.Error(), "a-wrong-secret")
	for _, given := range [][2]string{{"", "x"}, {issuer.TokenURL(), ""}, {"::", "x"}} {
		_, err = ActionsToken(given[0], given[1])(t.Context())
		require.ErrorContains(t, err, "the address or the token to ask with is empty")
	}

	parrot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "what is "+r.Header.Get("Authorization"), http.StatusBadRequest)
	}))
	defer parrot.Close()
	s := withFulcio(t, parrot.URL)
	_, err = s.Signer(ActionsToken(issuer.TokenURL(), issuer.Secret)).
		Sign(t.Context(), Statement{Name: "x", Digest: one, Kind: Release})
	require.ErrorContains(t, err, "what is Bearer ***")
	noTokens(t, issuer, err.Error())
}

// withFulcio is an instance of which nothing is there but an address.
func withFulcio(t testing.TB, url string) *Sigstore {
	s, err := ReadSigstore(
		trustedRoot(t),
		[]byte(
			`{"mediaType":"`+root.SigningConfigMediaType02+`","caUrls":[{"url":"`+url+`","majorApiVersion":1,"validFor":{"start":"2026-01-01T00:00:00Z"}}]}`,
		),
	)
	require.NoError(t, err)
	return s
}

func TestSigningEndsWhenInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		interrupt()
		<-ended
	}))
	defer silent.Close()
	defer close(ended)
	issuer := signtest.NewIssuer(t, signtest.Local)
	_, err := withFulcio(
		t,
		silent.URL,
	).Signer(ActionsToken(issuer.TokenURL(), issuer.Secret)).
		Sign(ctx, Statement{Name: "x", Digest: one, Kind: Release})
	require.ErrorIs(t, err, context.Canceled)
}

// trustedRoot is one that nobody has the keys of.
func trustedRoot(t testing.TB) []byte {
	v, err := ca.NewVirtualSigstore()
	require.NoError(t, err)
	r, err := root.NewTrustedRoot(
		root.TrustedRootMediaType01,
		v.FulcioCertificateAuthorities(),
		nil,
		v.TimestampingAuthorities(),
		nil,
	)
	require.NoError(t, err)
	b, err := r.MarshalJSON()
	require.NoError(t, err)
	return b
}

// TestPublicSigstoreIsChecked takes what a workflow of GitHub once signed at the
// public instance, with its log entry and certificate: a run for a branch.
func TestPublicSigstoreIsChecked(t *testing.T) {
	const (
		workflow = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml"
		issuer   = "https://token.actions.githubusercontent.com"
	)
	s := &Sigstore{root: data.TrustedRoot(t, "public-good.json")}
	signed := data.Bundle(t, "sigstore.js@2.0.0-provenance.sigstore.json")
	sum, err := hex.DecodeString(
		"46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c",
	)
	require.NoError(t, err)
	check := func(s *Sigstore, identity, issuer string) error {
		trust, err := s.Trust(identity, issuer)
		require.NoError(t, err)
		policy, err := trust.identity(tag)
		require.NoError(t, err)
		_, err = trust.verifier.Verify(signed, verify.NewPolicy(verify.WithArtifactDigest("sha512", sum), policy))
		return err
	}
	require.NoError(t, check(s, workflow+"@refs/heads/main", issuer))
	require.ErrorContains(
		t,
		check(s, workflow, issuer),
		`release.yml@refs/tags/`+tag+`", got`,
		"a branch signs no release",
	)
	require.ErrorContains(t, check(s, workflow+"@refs/heads/main", "https://example.org"), "issuer")
	other, err := ReadSigstore(trustedRoot(t), nil)
	require.NoError(t, err)
	require.Error(t, check(other, workflow+"@refs/heads/main", issuer))
	require.NotEmpty(t, s.root.CTLogs(), "certificates of the public instance must be in a log, too")
}

func TestBadSigstoreFilesAreRefused(t *testing.T) {
	good := trustedRoot(t)
	for name, files := range map[string][2][]byte{
		"no root":      {nil, nil},
		"not JSON":     {[]byte("x"), nil},
		"nobody in it": {[]byte(`{"mediaType":"` + root.TrustedRootMediaType01 + `"}`), nil},
		"no config":    {good, []byte("{}")},
	} {
		_, err := ReadSigstore(files[0], files[1])
		require.ErrorContains(t, err, "trusted_root.json", name)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	s, err := ReadSigstore(good, nil)
	require.NoError(t, err)
	for _, who := range [][2]string{{"", "x"}, {"x", ""}} {
		_, err = s.Trust(who[0], who[1])
		require.ErrorContains(t, err, "name both")
	}
}
