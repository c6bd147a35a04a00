package sign

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// Trust is whose statements are believed.
type Trust struct {
	verifier *verify.Verifier
	who      func(tag string) (verify.PolicyOption, error) // that may sign the release of a tag
}

// TrustKeys believes who has the private half of one of these public keys, PEM
// blocks one after the other: a key that is to be replaced stays until no
// release of it runs any more.
func TrustKeys(public []byte) (*Trust, error) {
	known := map[string]*root.ExpiringKey{}
	for block, rest := pem.Decode(public); block != nil; block, rest = pem.Decode(rest) {
		key, err := cryptoutils.UnmarshalPEMToPublicKey(pem.EncodeToMemory(block))
		if err != nil {
			return nil, badKey("reading public key", err)
		}
		e, ok := key.(*ecdsa.PublicKey)
		if !ok {
			return nil, badKey("reading public key", fmt.Errorf("it is a %T, not ECDSA", key))
		}
		v, err := signature.LoadDefaultVerifier(e)
		if err != nil {
			return nil, badKey("reading public key", err)
		}
		name, err := hint(e)
		if err != nil {
			return nil, err
		}
		known[name] = root.NewExpiringKey(v, time.Time{}, time.Time{})
	}
	if len(known) == 0 {
		return nil, badKey("reading public key", errors.New("there is none"))
	}
	v, err := verify.NewVerifier(root.NewTrustedPublicKeyMaterialFromMapping(known), verify.WithNoObserverTimestamps(), verify.WithoutStatementPredicate())
	if err != nil {
		return nil, fmt.Errorf("trusting keys: %w", err)
	}
	return &Trust{v, func(string) (verify.PolicyOption, error) { return verify.WithKey(), nil }}, nil
}

// Check gives what a signed statement says, as JSON, when it is signed by
// somebody trusted with the release of a git tag, is of this kind, and is about
// the thing with this digest, "sha256:…", and nothing else.
func (t *Trust) Check(signed []byte, digest, kind, tag string) (json.RawMessage, error) {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(signed); err != nil {
		return nil, fmt.Errorf("reading signature: %w", err)
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return nil, fmt.Errorf("reading digest %s: %w", digest, err)
	}
	who, err := t.who(tag)
	if err != nil {
		return nil, err
	}
	if _, err := t.verifier.Verify(&b, verify.NewPolicy(verify.WithArtifactDigest("sha256", sum), who)); err != nil {
		return nil, fmt.Errorf("checking signature of %s: %w", digest, err)
	}
	dsse := b.GetDsseEnvelope() // what was verified: its payload is what is read now
	var said envelope
	if err := json.Unmarshal(dsse.GetPayload(), &said); err != nil {
		return nil, fmt.Errorf("reading statement about %s: %w", digest, err)
	}
	if dsse.GetPayloadType() != payloadType || said.Type != statementType || said.PredicateType != kind || len(said.Subject) != 1 {
		return nil, fmt.Errorf("checking statement about %s: it says %s of %d things, not %s of one", digest, said.PredicateType, len(said.Subject), kind)
	}
	return said.Predicate, nil
}
