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
	// Release binds a record to the release it is of.
	Release = "https://github.com/tagline-ci/tagline/release/v1"
	// Provenance says how an image was built: https://slsa.dev/spec/v1.0/provenance
	Provenance = "https://slsa.dev/provenance/v1"
	// SBOM says what an image is made of: https://spdx.dev
	SBOM = "https://spdx.dev/Document"
	// Signature says that the signer signed a manifest, and no more. It is the statement
	// that cosign sign makes, and that cosign verify and Flux look for.
	Signature = "https://sigstore.dev/cosign/sign/v1"
)

// MediaType is the media type of a signed statement in a registry.
const MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// Statement is an in-toto statement about one manifest in a registry.
type Statement struct {
	Name      string // of the subject, for people: "ioc-simstage-runtime"
	Digest    string // of the subject's manifest, "sha256:…"
	Kind      string // Release, Provenance, SBOM or Signature
	Predicate any    // the claim itself, anything that has JSON
}

// envelope is the JSON of an in-toto statement.
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
	// Sign returns the signed statement: a sigstore bundle, JSON of MediaType.
	Sign(context.Context, Statement) ([]byte, error)
	// Trust returns a Trust in this signer alone.
	Trust(context.Context) (*Trust, error)
}

// text returns the statement as in-toto's JSON.
func (s Statement) text() ([]byte, error) {
	predicate, err := json.Marshal(s.Predicate)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", s.Name, err)
	}
	text, err := json.Marshal(envelope{
		Type:          statementType,
		PredicateType: s.Kind,
		Predicate:     predicate,
		Subject: []subject{
			{Name: s.Name, Digest: map[string]string{"sha256": strings.TrimPrefix(s.Digest, "sha256:")}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", s.Name, err)
	}
	return text, nil
}

// signText returns the bundle of a signed in-toto statement.
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
