package sign

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/require"
)

var (
	one = "sha256:" + strings.Repeat("1a", 32)
	two = "sha256:" + strings.Repeat("2b", 32)
)

// pairOf makes a key and who trusts it.
func pairOf(t testing.TB, password string) (*Key, *Trust, []byte) {
	private, public, err := NewKey([]byte(password))
	require.NoError(t, err)
	k, err := ReadKey(private, []byte(password))
	require.NoError(t, err)
	trust, err := TrustKeys(public)
	require.NoError(t, err)
	return k, trust, public
}

func signed(t testing.TB, k *Key, digest, kind string) []byte {
	b, err := k.Sign(t.Context(), Statement{Name: "x", Digest: digest, Kind: kind, Predicate: map[string]int{"n": 1}})
	require.NoError(t, err)
	return b
}

func TestSignedStatementIsChecked(t *testing.T) {
	for _, password := range []string{"", "secret"} {
		k, trust, _ := pairOf(t, password)
		said, err := trust.Check(signed(t, k, one, Release), one, Release, "x/1")
		require.NoError(t, err)
		require.JSONEq(t, `{"n":1}`, string(said))
	}
}

// A signer is known again by the name that SignedBy returned.
func TestNames(t *testing.T) {
	k, trust, public := pairOf(t, "")
	other, _, more := pairOf(t, "")
	name, stranger := SignedBy(signed(t, k, one, Release)), SignedBy(signed(t, other, one, Release))
	require.True(t, trust.Names(name, "x/1"))
	require.False(t, trust.Names(stranger, "x/1"))
	require.False(t, trust.Names(strings.TrimPrefix(name, "key "), "x/1"))
	require.False(t, trust.Names("", "x/1"))
	both, err := TrustKeys(append(public, more...))
	require.NoError(t, err)
	require.True(t, both.Names(stranger, "x/1"))
}

func TestCheckRefuses(t *testing.T) {
	k, trust, _ := pairOf(t, "")
	other, _, _ := pairOf(t, "")
	good := signed(t, k, one, Release)
	for name, c := range map[string]struct {
		signed       []byte
		digest, kind string
	}{
		"another thing":    {good, two, Release},
		"another kind":     {good, one, SBOM},
		"another's key":    {signed(t, other, one, Release), one, Release},
		"altered":          {altered(t, good, `{"n":1}`, `{"n":2}`), one, Release},
		"altered subject":  {altered(t, good, one[7:], two[7:]), two, Release},
		"a second subject": {signedTwice(t, k), one, Release},
		"no signature":     {unsigned(t, good), one, Release},
		"nothing":          {nil, one, Release},
		"no digest":        {good, "", Release},
	} {
		_, err := trust.Check(c.signed, c.digest, c.kind, "x/1")
		require.Error(t, err, name)
	}
}

// edit changes the bundle's JSON.
func edit(t testing.TB, signed []byte, change func(envelope map[string]any)) []byte {
	var b map[string]any
	require.NoError(t, json.Unmarshal(signed, &b))
	change(b["dsseEnvelope"].(map[string]any))
	out, err := json.Marshal(b)
	require.NoError(t, err)
	return out
}

func altered(t testing.TB, signed []byte, old, new string) []byte {
	return edit(t, signed, func(e map[string]any) {
		var payload []byte
		require.NoError(t, json.Unmarshal([]byte(`"`+e["payload"].(string)+`"`), &payload))
		require.Contains(t, string(payload), old)
		e["payload"] = bytes.Replace(payload, []byte(old), []byte(new), 1)
	})
}

func unsigned(t testing.TB, signed []byte) []byte {
	return edit(t, signed, func(e map[string]any) { e["signatures"] = []any{} })
}

// signedTwice is a signed statement of two things, of which one was asked for.
func signedTwice(t testing.TB, k *Key) []byte {
	text := `{"_type":"` + statementType + `","subject":[{"name":"x","digest":{"sha256":"` + one[7:] + `"}},{"name":"y","digest":{"sha256":"` + two[7:] + `"}}],"predicateType":"` + Release + `","predicate":{}}`
	b, err := k.sign(t.Context(), []byte(text))
	require.NoError(t, err)
	return b
}

func TestAnOldKeyIsTrustedBesideTheNew(t *testing.T) {
	was, _, oldPublic := pairOf(t, "")
	is, _, newPublic := pairOf(t, "")
	trust, err := TrustKeys(append(append([]byte{}, newPublic...), oldPublic...))
	require.NoError(t, err)
	for _, k := range []*Key{was, is} {
		_, err := trust.Check(signed(t, k, one, Release), one, Release, "x/1")
		require.NoError(t, err)
	}
}

func TestBadKeysAreRefusedWithoutShowingThem(t *testing.T) {
	private, _, err := NewKey([]byte("hunter2"))
	require.NoError(t, err)
	_, err = ReadKey(private, []byte("wrong-password"))
	require.ErrorContains(t, err, "its password is another")
	require.NotContains(t, err.Error(), "wrong-password")
	p384, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P384(), nil)
	require.NoError(t, err)
	_, err = ReadKey(p384, nil)
	require.ErrorContains(t, err, "P-256")
	rsa, rsaPublic, err := cryptoutils.GeneratePEMEncodedRSAKeyPair(2048, nil)
	require.NoError(t, err)
	_, err = ReadKey(rsa, nil)
	require.ErrorContains(t, err, "make a key pair")
	_, err = TrustKeys(rsaPublic)
	require.ErrorContains(t, err, "not ECDSA")
	for _, text := range [][]byte{nil, []byte("x"), p384, public[:20]} {
		_, err = TrustKeys(text)
		require.Error(t, err)
	}
}

// Anybody may write any name into a bundle, and it is shown before anything is checked.
func TestANameThatSteersATerminal(t *testing.T) {
	private, _, err := NewKey(nil)
	require.NoError(t, err)
	key, err := ReadKey(private, nil)
	require.NoError(t, err)
	signed, err := key.Sign(t.Context(), Statement{Digest: "sha256:" + strings.Repeat("a", 64), Kind: Release})
	require.NoError(t, err)
	name, err := hint(key.private.Public())
	require.NoError(t, err)
	require.Equal(t, "key "+name, SignedBy(signed))
	name, err = quoted(name)
	require.NoError(t, err)
	forged := strings.Replace(string(signed), name, `"x\u001b[2J\n::stop-commands::x"`, 1)
	require.NotEqual(t, string(signed), forged)
	require.Equal(t, `key "x\x1b[2J\n::stop-commands::x"`, SignedBy([]byte(forged)))
}

// quoted returns a text as JSON.
func quoted(text string) (string, error) {
	b, err := json.Marshal(text)
	return string(b), err
}
