// Package signtest runs a Sigstore of real parts for tests: Fulcio, Rekor and a
// timestamp authority, each built from its own source, and an OIDC issuer that
// answers as that of GitHub Actions does.
package signtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/stretchr/testify/require"
)

// Sigstore is an instance that ends with the test.
type Sigstore struct {
	TrustedRoot   []byte // what is in its trusted_root.json
	SigningConfig []byte // what is in its signing_config.json
}

// began is from when on the instance's certificates are good.
var began = time.Now().Add(-time.Hour)

// Local is the address for who runs on this machine, in no container.
const Local = "127.0.0.1"

// Start brings an instance up at an address of this machine, that takes tokens
// of the issuers. The first time on a machine it builds for some minutes.
func Start(t testing.TB, host string, issuers ...*Issuer) *Sigstore {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the parts of Sigstore")
	}
	authority, fulcio := startFulcio(t, host, issuers)
	log, rekor := startRekor(t, host)
	clock, tsa := startClock(t, host)
	trust, err := root.NewTrustedRoot(root.TrustedRootMediaType01, []root.CertificateAuthority{authority}, nil,
		[]root.TimestampingAuthority{clock}, map[string]*root.TransparencyLog{string(log.ID): log})
	require.NoError(t, err)
	any := root.ServiceConfiguration{Selector: prototrustroot.ServiceSelector_ANY}
	service := func(url string, version uint32) []root.Service {
		return []root.Service{{URL: url, MajorAPIVersion: version, ValidityPeriodStart: began, Operator: "test"}}
	}
	config, err := root.NewSigningConfig(
		root.SigningConfigMediaType02,
		service(fulcio, 1),
		nil,
		service(rekor, 2),
		any,
		service(tsa+"/api/v1/timestamp", 1),
		any,
	)
	require.NoError(t, err)
	s := &Sigstore{}
	s.TrustedRoot, err = trust.MarshalJSON()
	require.NoError(t, err)
	s.SigningConfig, err = config.MarshalJSON()
	require.NoError(t, err)
	return s
}

// Files writes the instance's files and returns their paths.
func (s *Sigstore) Files(t testing.TB) (trustedRoot, signingConfig string) {
	dir := t.TempDir()
	trustedRoot, signingConfig = filepath.Join(dir, "trusted_root.json"), filepath.Join(dir, "signing_config.json")
	require.NoError(t, os.WriteFile(trustedRoot, s.TrustedRoot, 0o644))
	require.NoError(t, os.WriteFile(signingConfig, s.SigningConfig, 0o644))
	return trustedRoot, signingConfig
}

// startFulcio runs a certificate authority whose key is gone with it.
func startFulcio(t testing.TB, host string, issuers []*Issuer) (*root.FulcioCertificateAuthority, string) {
	known := map[string]any{}
	for _, i := range issuers {
		known[i.URL] = map[string]string{"IssuerURL": i.URL, "ClientID": "sigstore", "Type": "github-workflow"}
	}
	text, err := json.Marshal(map[string]any{"OIDCIssuers": known})
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(config, text, 0o644))
	p := port(t, host)
	url := "http://" + host + ":" + p
	start(
		t,
		url+"/api/v2/trustBundle",
		"fulcio",
		"serve",
		"--ca=ephemeralca",
		"--ct-log-url=",
		"--config-path="+config,
		"--host="+host,
		"--port="+p,
		"--grpc-host="+Local,
		"--grpc-port="+port(t, Local),
		"--metrics-port="+port(t, host),
		"--legacy-unix-domain-socket="+filepath.Join(t.TempDir(), "s"),
	)
	chain := certificates(t, get(t, url+"/api/v1/rootCert"))
	last := len(chain) - 1
	return &root.FulcioCertificateAuthority{
		Root:                chain[last],
		Intermediates:       chain[:last],
		ValidityPeriodStart: began,
		URI:                 url,
	}, url
}

// startClock runs a timestamp authority whose key is gone with it.
func startClock(t testing.TB, host string) (*root.SigstoreTimestampingAuthority, string) {
	p := port(t, host)
	url := "http://" + host + ":" + p
	start(t, url+"/ping", "clock", host, p)
	chain := certificates(t, get(t, url+"/api/v1/timestamp/certchain"))
	last := len(chain) - 1
	return &root.SigstoreTimestampingAuthority{
		Root:                chain[last],
		Intermediates:       chain[1:last],
		Leaf:                chain[0],
		ValidityPeriodStart: began,
		URI:                 url,
	}, url
}

// startRekor runs a transparency log in a folder.
func startRekor(t testing.TB, host string) (*root.TransparencyLog, string) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	key := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	p := port(t, host)
	url := "http://" + host + ":" + p
	start(
		t,
		url+"/healthz",
		"posix",
		"serve",
		"--http-address="+host,
		"--http-port="+p,
		"--grpc-port="+port(t, Local),
		"--http-metrics-port="+port(t, host),
		"--hostname="+host,
		"--storage-dir="+t.TempDir(),
		"--signer-filepath="+key,
		"--checkpoint-interval=100ms",
		"--batch-max-age=10ms",
	)
	_, id, err := note.KeyHash(host, public) // the name is the address's host, as verifiers expect
	require.NoError(t, err)
	return &root.TransparencyLog{
		BaseURL:             url,
		ID:                  id,
		ValidityPeriodStart: began,
		HashFunc:            crypto.SHA256,
		PublicKey:           public,
		SignatureHashFunc:   crypto.SHA512,
	}, url
}

// certificates reads PEM blocks, the leaf first.
func certificates(t testing.TB, text []byte) []*x509.Certificate {
	chain, err := cryptoutils.UnmarshalCertificatesFromPEM(text)
	require.NoError(t, err)
	require.NotEmpty(t, chain)
	return chain
}
