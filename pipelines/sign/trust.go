package sign

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// Trust is a set of signers whose statements are accepted.
type Trust struct {
	verifier *verify.Verifier
	identity func(tag string) (verify.PolicyOption, error) // the identity that may sign the release of a tag
	named    func(signer, tag string) bool
}

// Names reports whether a signer, as SignedBy returns it, is one that is trusted
// with the release of a git tag. It is for a signature that was checked before.
func (t *Trust) Names(signer, tag string) bool { return t.named(signer, tag) }

// TrustKeys returns a Trust in the holders of public keys, PEM blocks one after
// the other. A key that is replaced stays there until no release that it signed
// runs any more.
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
		return nil, badKey("reading public key", errors.New("the text holds no PEM block"))
	}
	v, err := verify.NewVerifier(
		root.NewTrustedPublicKeyMaterialFromMapping(known),
		verify.WithNoObserverTimestamps(),
		verify.WithoutStatementPredicate(),
	)
	if err != nil {
		return nil, fmt.Errorf("trusting keys: %w", err)
	}
	return &Trust{
		verifier: v,
		identity: func(string) (verify.PolicyOption, error) { return verify.WithKey(), nil },
		named: func(signer, _ string) bool {
			_, ok := known[strings.TrimPrefix(signer, keyed)]
			return ok && strings.HasPrefix(signer, keyed)
		},
	}, nil
}

// Check returns the predicate of a signed statement, as JSON, when a signer that
// is trusted with the release of the git tag signed it, and it is of this kind
// and about the manifest with this digest, "sha256:…", and nothing else.
func (t *Trust) Check(signed []byte, digest, kind, tag string) (json.RawMessage, error) {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(signed); err != nil {
		return nil, fmt.Errorf("reading signature: %w", err)
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return nil, fmt.Errorf("reading digest %s: %w", digest, err)
	}
	identity, err := t.identity(tag)
	if err != nil {
		return nil, err
	}
	policy := verify.NewPolicy(verify.WithArtifactDigest("sha256", sum), identity)
	if _, err := t.verifier.Verify(&b, policy); err != nil {
		return nil, fmt.Errorf("checking signature of %s: %w", digest, err)
	}
	dsse := b.GetDsseEnvelope() // what was verified: its payload is what is read now
	var statement envelope
	if err := json.Unmarshal(dsse.GetPayload(), &statement); err != nil {
		return nil, fmt.Errorf("reading statement about %s: %w", digest, err)
	}
	if dsse.GetPayloadType() != payloadType || statement.Type != statementType || statement.PredicateType != kind ||
		len(statement.Subject) != 1 {
		return nil, fmt.Errorf(
			"checking statement about %s: it is a %s about %d subjects, not a %s about one",
			digest,
			statement.PredicateType,
			len(statement.Subject),
			kind,
		)
	}
	return statement.Predicate, nil
}

// keyed begins the name of a signer that is a key.
const keyed = "key "

// SignedBy returns who signed a statement, for people and to compare signers: the
// subject of the certificate, or the name of the key. It checks nothing: ask it
// only about what Check accepted, or to say whom nobody trusts.
func SignedBy(signed []byte) string {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(signed); err != nil {
		return "nobody"
	}
	material, err := b.VerificationContent()
	if err != nil {
		return "nobody"
	}
	if c := material.Certificate(); c != nil {
		if summary, err := certificate.SummarizeCertificate(c); err == nil {
			return printable(summary.SubjectAlternativeName)
		}
	}
	if k := material.PublicKey(); k != nil {
		return keyed + printable(k.Hint())
	}
	return "nobody"
}

// printable quotes a name that could confuse a terminal or a log: anybody may have
// written it.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// Subject returns the digest, "sha256:…", that a statement says it is about,
// unchecked; empty when it can't be read.
func Subject(signed []byte) string {
	if e := unchecked(signed); len(e.Subject) == 1 {
		return "sha256:" + e.Subject[0].Digest["sha256"]
	}
	return ""
}

// Predicate returns what a statement says, unchecked; nil when it can't be read.
func Predicate(signed []byte) json.RawMessage { return unchecked(signed).Predicate }

// unchecked returns the statement in a bundle without checking its signature.
func unchecked(signed []byte) (e envelope) {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(signed); err == nil && b.GetDsseEnvelope() != nil {
		_ = json.Unmarshal(b.GetDsseEnvelope().GetPayload(), &e) // what can't be read is empty
	}
	return e
}
