package asset

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is a version as somebody spelled it in a tag: it is refused or taken,
// never changed. The zero value is no version. Versions are equal (==) when
// their spellings are.
type Version struct{ raw string }

// ParseVersion reads one version and keeps its spelling. A version is two to four
// numbers, then what the field adds to them: a release of an upstream version
// (7.0.8r1.0, 7.0.8ec2), a pre-release (1.0.0-beta.1, 7.0.8ec2b3, 0.9.5.b2), a
// variant (7.0.5r2.0.multi), and a build (1.0.0+b1). Anything else is a
// diag.Invalid whose Fix says what to write.
func ParseVersion(s string) (Version, error) {
	if _, r := split(s); r != nil {
		return Version{}, r.error(s, "write ", "")
	}
	return Version{s}, nil
}

// VersionOfOCITag reads what OCITag returned.
func VersionOfOCITag(s string) (Version, error) { return ParseVersion(strings.ReplaceAll(s, "_", "+")) }

// String returns the version as it was spelled.
func (v Version) String() string { return v.raw }

// OCITag returns the version as a tag of an image or chart in a registry: + is
// written _, as Helm does. No two versions have the same one, because no
// version has a _ of its own.
func (v Version) OCITag() string { return strings.ReplaceAll(v.raw, "+", "_") }

// Chart returns the version as a Helm chart carries it, which is the same
// spelling: Helm takes strict SemVer only, so others are refused (diag.Invalid)
// with the spelling that would do.
func (v Version) Chart() (string, error) {
	if r := v.chart(); r != nil {
		return "", r.error(v.raw, "write ", "")
	}
	return v.raw, nil
}

// chart returns why a version cannot be one of a chart; nil when it can.
func (v Version) chart() *refusal {
	if _, err := semver.StrictNewVersion(v.raw); err == nil {
		return nil
	}
	p, r := split(v.raw)
	if r != nil {
		return r
	}
	return p.notSemVer()
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.raw == "" }

// Parts returns the version taken apart, to order versions by what they mean.
func (v Version) Parts() Parts {
	p, _ := split(v.raw)
	return p
}

// MarshalText returns the spelling, for JSON and YAML.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.raw), nil }

// UnmarshalText reads what MarshalText returned; empty text is the zero value.
func (v *Version) UnmarshalText(b []byte) error { return unmarshal(v, b, ParseVersion) }
