package sign

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/sign"
)

// The kinds of statement, by the type of their predicate.
const (
	// Release says that a record is that of a release.
	Release = "https://github.com/tagline-ci/tagline/release/v1"
	// Provenance says how an image was built: https://slsa.dev/spec/v1.0/provenance
	Provenance = "https://slsa.dev/provenance/v1"
	// SBOM says what an image is made of: https://spdx.dev
	SBOM = "https://spdx.dev/Document"
)

// MediaType is that of a signed statement in a registry.
const MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// Statement is what somebody says about one thing in a registry.
type Statement struct {
	Name      string // of the subject, for people: "ioc-simstage-runtime"
	Digest    string // of the subject's manifest, "sha256:…"
	Kind      string // Release, Provenance or SBOM
	Predicate any    // what is said, as JSON
}

// envelope is a Statement as in-toto writes it.
type envelope struct {
	Type          string          `json:"_type"`
	Subject       []subject       `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// Signer signs statements: a Key, or Keyless.
type Signer interface {
	// Sign gives the statement, signed: a sigstore bundle, JSON of MediaType.
	Sign(context.Context, Statement) ([]byte, error)
	// Trust believes what this signer signs, and nothing else.
	Trust(context.Context) (*Trust, error)
}

// text gives the statement as in-toto writes it.
func (s Statement) text() ([]byte, error) {
	predicate, err := json.Marshal(s.Predicate)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", s.Name, err)
	}
	text, err := json.Marshal(envelope{
		Type: statementType, PredicateType: s.Kind, Predicate: predicate,
		Subject: []subject{{Name: s.Name, Digest: map[string]string{"sha256": strings.TrimPrefix(s.Digest, "sha256:")}}},
	})
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", s.Name, err)
	}
	return text, nil
}

// signText gives an in-toto statement, signed.
func signText(text []byte, with sign.Keypair, o sign.BundleOptions) ([]byte, error) {
	signed, err := sign.Bundle(&sign.DSSEData{Data: text, PayloadType: payloadType}, with, o)
	if err != nil {
		return nil, err
	}
	b, err := bundle.NewBundle(signed)
	if err != nil {
		return nil, err
	}
	return b.MarshalJSON()
}
