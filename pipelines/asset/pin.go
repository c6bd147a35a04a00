package asset

import (
	"errors"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// PinPattern is what a pin looks like, as a regular expression for schemas; the
// version's own rules come after.
const PinPattern = `^[a-z0-9]([-a-z0-9]*[a-z0-9])? [!-~]+$`

// Pin names an asset at a released version, as people write it in recipes and
// instances: "ioc-simstage 1.0.0".
type Pin struct {
	Asset   Name
	Version Version
}

// String returns the pin as people write it.
func (p Pin) String() string { return string(p.Asset) + " " + p.Version.String() }

// Tag returns the git tag that asks for the release.
func (p Pin) Tag() Tag { return Tag(p) }

// IsZero reports whether there is no pin.
func (p Pin) IsZero() bool { return p == Pin{} }

// MarshalText returns the pin as people write it, for JSON; nothing for none.
func (p Pin) MarshalText() ([]byte, error) {
	if p.IsZero() {
		return nil, nil
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads what MarshalText returned; empty text is no pin.
func (p *Pin) UnmarshalText(b []byte) error { return unmarshal(p, b, ParsePin) }

// ParsePin reads "<asset> <version>".
func ParsePin(s string) (Pin, error) {
	f := strings.Fields(s)
	if len(f) != 2 || !names.MatchString(f[0]) {
		return Pin{}, &diag.Error{
			Kind: diag.Invalid, Doing: "reading pin", Asset: printable(s),
			Err: errors.New("not an asset and a version"),
			Fix: "write it as <asset> <version>, as in ioc-simstage 1.0.0",
		}
	}
	v, err := ParseVersion(f[1])
	if err != nil {
		return Pin{}, err
	}
	return Pin{Asset: Name(f[0]), Version: v}, nil
}
