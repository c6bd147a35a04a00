package asset

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/name"
)

// Digest is the digest of something in a registry: "sha256:" and 64 hex digits.
type Digest string

var digests = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// ParseDigest reads a digest.
func ParseDigest(s string) (Digest, error) {
	if !digests.MatchString(s) {
		return "", invalid("reading digest", s, "not a digest", "write sha256: and 64 hex digits")
	}
	return Digest(s), nil
}

// Short returns what a person can compare: "sha256:" and 12 hex digits.
func (d Digest) Short() string { return string(d[:min(len(d), len("sha256:")+12)]) }

// MarshalText returns the digest as it is spelled.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d), nil }

// UnmarshalText reads what MarshalText returned; empty text is no digest.
func (d *Digest) UnmarshalText(b []byte) error { return unmarshal(d, b, ParseDigest) }

// Ref is the address of something in a registry, by tag, by digest or both:
// "ghcr.io/some-org/ioc-simstage-runtime:1.0.0",
// "ghcr.io/some-org/ioc-simstage-runtime@sha256:…". It keeps its spelling.
type Ref string

// ParseRef reads an address. What it may be is go-containerregistry's rule; it
// must name a tag or a digest.
func ParseRef(s string) (Ref, error) {
	r := Ref(s)
	_, err := name.ParseReference(s)
	if err != nil || !utf8.ValidString(s) || strings.TrimSpace(s) != s || r.Tag() == "" && r.Digest() == "" {
		return "", invalid(
			"reading address", s, "not something in a registry", "write host/path/name:tag or host/path/name@sha256:…",
		)
	}
	if d := r.Digest(); d != "" && !digests.MatchString(string(d)) {
		return "", invalid("reading address", s, "its digest is none", "write sha256: and 64 hex digits after the @")
	}
	return r, nil
}

// split takes an address apart.
func (r Ref) split() (repository, tag string, digest Digest) {
	repository, sum, _ := strings.Cut(string(r), "@")
	if i := strings.LastIndexByte(repository, ':'); i > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:i], repository[i+1:]
	}
	return repository, tag, Digest(sum)
}

// Repository returns the address without tag and digest: "ghcr.io/some-org/ioc-simstage-runtime".
func (r Ref) Repository() string {
	repository, _, _ := r.split()
	return repository
}

// Tag returns the tag, empty when the address has none.
func (r Ref) Tag() string {
	_, tag, _ := r.split()
	return tag
}

// Digest returns the digest, empty when the address has none.
func (r Ref) Digest() Digest {
	_, _, digest := r.split()
	return digest
}

// At returns the address of what has a digest in the same repository.
func (r Ref) At(d Digest) Ref { return Ref(r.Repository() + "@" + string(d)) }

// MarshalText returns the address as it is spelled.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r), nil }

// UnmarshalText reads what MarshalText returned; empty text is no address.
func (r *Ref) UnmarshalText(b []byte) error { return unmarshal(r, b, ParseRef) }
