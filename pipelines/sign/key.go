// Package sign makes and checks signed statements about what is in a registry:
// in-toto statements in sigstore bundles, which cosign checks as well. Who
// wants to check a release needs no Tagline for it.
package sign

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Key is a private key that signs releases: ECDSA on the curve P-256, which is
// what cosign makes and every verifier knows.
type Key struct{ private *ecdsa.PrivateKey }

// NewKey returns a new key pair, each half as PEM text. The private half is encrypted
// when password isn't empty. cosign reads both.
func NewKey(password []byte) (private, public []byte, err error) {
	var pass cryptoutils.PassFunc
	if len(password) > 0 {
		pass = cryptoutils.StaticPasswordFunc(password)
	}
	if private, public, err = cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), pass); err != nil {
		return nil, nil, fmt.Errorf("making key pair: %w", err)
	}
	return private, public, nil
}

// ReadKey reads a private key from its PEM text, as NewKey or cosign made it.
// password is empty for one that is not encrypted. Errors hold neither of them.
func ReadKey(private, password []byte) (*Key, error) {
	key, err := cryptoutils.UnmarshalPEMToPrivateKey(private, cryptoutils.StaticPasswordFunc(password))
	if err != nil {
		return nil, badKey("reading private key", errors.New("it can't be read, or its password is another"))
	}
	e, ok := key.(*ecdsa.PrivateKey)
	if !ok || e.Curve != elliptic.P256() {
		return nil, badKey("reading private key", fmt.Errorf("it is a %T, not ECDSA on P-256", key))
	}
	return &Key{e}, nil
}

func badKey(doing string, err error) error {
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: doing,
		Err:   err,
		Fix:   "make a key pair with: tagline key, or cosign generate-key-pair",
	}
}

// hint returns the name of a public key in a bundle: the digest of its DER bytes.
func hint(public crypto.PublicKey) (string, error) {
	der, err := cryptoutils.MarshalPublicKeyToDER(public)
	if err != nil {
		return "", fmt.Errorf("naming public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// pair is a Key with the methods of sigstore's Keypair.
type pair struct {
	*ecdsa.PrivateKey
	hint string
}

// GetHashAlgorithm returns the hash that is signed. It and the methods below
// implement sigstore's Keypair.
func (p pair) GetHashAlgorithm() protocommon.HashAlgorithm {
	return protocommon.HashAlgorithm_SHA2_256
}

// GetSigningAlgorithm returns curve and hash.
func (p pair) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	return protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}

// GetHint returns the name of the public key in a bundle.
func (p pair) GetHint() []byte { return []byte(p.hint) }

// GetKeyAlgorithm returns the kind of key.
func (p pair) GetKeyAlgorithm() string { return "ECDSA" }

// GetPublicKey returns the public half.
func (p pair) GetPublicKey() crypto.PublicKey { return p.Public() }

// GetPublicKeyPem returns the public half as text.
func (p pair) GetPublicKeyPem() (string, error) {
	b, err := cryptoutils.MarshalPublicKeyToPEM(p.Public())
	return string(b), err
}

// SignData returns the signature of data, and data's digest.
func (p pair) SignData(_ context.Context, data []byte) (signature, digest []byte, err error) {
	sum := sha256.Sum256(data)
	signature, err = ecdsa.SignASN1(rand.Reader, p.PrivateKey, sum[:])
	return signature, sum[:], err
}

// Sign returns the signed statement: a sigstore bundle, JSON of MediaType.
func (k *Key) Sign(ctx context.Context, s Statement) ([]byte, error) {
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	signed, err := k.sign(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", s.Name, err)
	}
	return signed, nil
}

func (k *Key) sign(ctx context.Context, text []byte) ([]byte, error) {
	name, err := hint(k.private.Public())
	if err != nil {
		return nil, err
	}
	return signText(text, pair{k.private, name}, sign.BundleOptions{Context: ctx})
}

// Trust returns a Trust in this key alone.
func (k *Key) Trust(context.Context) (*Trust, error) {
	public, err := cryptoutils.MarshalPublicKeyToPEM(k.private.Public())
	if err != nil {
		return nil, fmt.Errorf("reading own public key: %w", err)
	}
	return TrustKeys(public)
}
