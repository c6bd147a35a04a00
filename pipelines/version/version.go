// Package version reads the version schemes of the field and the git tags that
// carry them.
package version

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Version is a version as somebody spelled it in a tag. The zero value is no
// version.
type Version struct{ raw string }

var grammar = regexp.MustCompile(`^[0-9][0-9A-Za-z.+-]*$`)

// Parse reads one version and keeps its spelling.
func Parse(s string) (Version, error) {
	if !grammar.MatchString(s) {
		return Version{}, &diag.Error{Kind: diag.Invalid, Doing: "reading version", Version: s, Err: fmt.Errorf("not a version"), Fix: "start it with a digit, as in 1.0.0 or 7.0.8r1.0"}
	}
	return Version{s}, nil
}

// String gives the version as it was spelled.
func (v Version) String() string { return v.raw }

// OCITag gives the version as a tag of an image or chart in a registry.
func (v Version) OCITag() string { return strings.ReplaceAll(v.raw, "+", "_") }

// IsZero tells whether there is no version.
func (v Version) IsZero() bool { return v.raw == "" }

// MarshalText gives the spelling, for JSON and YAML.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.raw), nil }

// UnmarshalText reads what MarshalText gave; empty text is the zero value.
func (v *Version) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*v = Version{}
		return nil
	}
	*v, err = Parse(string(b))
	return err
}

// Tag is a git tag that asks for a release of one asset: "<asset>/<version>".
type Tag struct {
	Asset   string
	Version Version
}

// String gives the tag as git has it.
func (t Tag) String() string { return t.Asset + "/" + t.Version.String() }

// Pin names an asset at a released version, as people write it in recipes and
// instances: "ioc-simstage 1.0.0".
type Pin struct {
	Asset   string
	Version Version
}

// String gives the pin as people write it.
func (p Pin) String() string { return p.Asset + " " + p.Version.String() }

// ParseTag reads "<asset>/<version>".
func ParseTag(s string) (Tag, error) {
	asset, v, ok := strings.Cut(s, "/")
	if !ok || asset == "" {
		return Tag{}, &diag.Error{Kind: diag.Invalid, Doing: "reading tag", Asset: s, Err: fmt.Errorf("no asset before the version"), Fix: "write it as <asset>/<version>, as in bl01t/2026.11.1"}
	}
	ver, err := Parse(v)
	if err != nil {
		return Tag{}, err
	}
	return Tag{Asset: asset, Version: ver}, nil
}

// ParsePin reads "<asset> <version>".
func ParsePin(s string) (Pin, error) {
	f := strings.Fields(s)
	if len(f) != 2 {
		return Pin{}, &diag.Error{Kind: diag.Invalid, Doing: "reading pin", Asset: s, Err: fmt.Errorf("not an asset and a version"), Fix: "write it as <asset> <version>, as in ioc-simstage 1.0.0"}
	}
	v, err := Parse(f[1])
	if err != nil {
		return Pin{}, err
	}
	return Pin{Asset: f[0], Version: v}, nil
}
