// Package asset holds the words that everything else is said in: what has a
// version of its own, its kind and name, the version, the git tag that asks for
// a release, the pin that names one, and where it is in a registry. Each is
// parsed here and nowhere else.
package asset

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Kind is a kind of asset.
type Kind string

// The kinds of asset.
const (
	Image    Kind = "image"    // a generic IOC image: generic-iocs/<name>
	Library  Kind = "library"  // a Helm library chart: charts/<name>
	Beamline Kind = "beamline" // a beamline's instances: beamlines/<name>
)

// ParseKind reads a kind, spelled as its constant is.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(s); k {
	case Image, Library, Beamline:
		return k, nil
	}
	return "", invalid("reading kind", s, "no kind of asset", "write image, library or beamline")
}

// Name is an asset's name: its folder's in the tree, and a part of an address in
// a registry. "ioc-simstage".
type Name string

// names are what a part of a repository's name may be:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
var names = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// ParseName reads an asset's name.
func ParseName(s string) (Name, error) {
	if !names.MatchString(s) {
		return "", invalid(
			"reading name", s, "not the name of an asset",
			"write lower-case letters and digits, with single dots, dashes or underscores between",
		)
	}
	return Name(s), nil
}

// List returns names as people read them: "bl01t, bl45p".
func List(names []Name) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(n))
	}
	return b.String()
}

// Target is one of the two images that an image's release has.
type Target string

// The targets of every image.
const (
	Developer Target = "developer" // sources, compilers and debugger
	Runtime   Target = "runtime"   // what the IOC opens, and nothing else
)

// ParseTarget reads a target, spelled as its constant is.
func ParseTarget(s string) (Target, error) {
	switch t := Target(s); t {
	case Developer, Runtime:
		return t, nil
	}
	return "", invalid("reading target", s, "no target of an image", "write developer or runtime")
}

// Image returns the name of an asset's image of a target: "ioc-simstage-runtime".
func (n Name) Image(t Target) string { return string(n) + "-" + string(t) }

// MarshalText returns the kind as it is spelled.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k), nil }

// UnmarshalText reads what MarshalText returned; empty text is no kind.
func (k *Kind) UnmarshalText(b []byte) error { return unmarshal(k, b, ParseKind) }

// MarshalText returns the name as it is spelled.
func (n Name) MarshalText() ([]byte, error) { return []byte(n), nil }

// UnmarshalText reads what MarshalText returned; empty text is no name.
func (n *Name) UnmarshalText(b []byte) error { return unmarshal(n, b, ParseName) }

// MarshalText returns the target as it is spelled.
func (t Target) MarshalText() ([]byte, error) { return []byte(t), nil }

// UnmarshalText reads what MarshalText returned; empty text is no target.
func (t *Target) UnmarshalText(b []byte) error { return unmarshal(t, b, ParseTarget) }

// unmarshal reads text with a parser; empty text is the zero value.
func unmarshal[T any](into *T, text []byte, parse func(string) (T, error)) error {
	var zero T
	*into = zero
	if len(text) == 0 {
		return nil
	}
	v, err := parse(string(text))
	if err == nil {
		*into = v
	}
	return err
}

// invalid refuses a text that somebody wrote.
func invalid(doing, text, why, fix string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: doing, Asset: printable(text), Err: errors.New(why), Fix: fix}
}

// printable shortens and quotes what could confuse a terminal.
func printable(s string) string {
	if len(s) > maxLength {
		s = s[:maxLength] + "…"
	}
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if s == "" || strings.TrimSpace(s) != s || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
