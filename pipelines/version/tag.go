package version

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Tag is a git tag that asks for a release of one asset: "<asset>/<version>".
type Tag struct {
	Asset   string
	Version Version
}

// String gives the tag as git has it.
func (t Tag) String() string { return t.Asset + "/" + t.Version.String() }

// MarshalText gives the tag as git has it, for JSON.
func (t Tag) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText gave.
func (t *Tag) UnmarshalText(b []byte) (err error) {
	*t, err = ParseTag(string(b))
	return err
}

// Pin names an asset at a released version, as people write it in recipes and
// instances: "ioc-simstage 1.0.0".
type Pin struct {
	Asset   string
	Version Version
}

// String gives the pin as people write it.
func (p Pin) String() string { return p.Asset + " " + p.Version.String() }

// IsZero tells whether there is no pin.
func (p Pin) IsZero() bool { return p == Pin{} }

// MarshalText gives the pin as people write it, for JSON; nothing for none.
func (p Pin) MarshalText() ([]byte, error) {
	if p.IsZero() {
		return nil, nil
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads what MarshalText gave.
func (p *Pin) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*p = Pin{}
		return nil
	}
	*p, err = ParsePin(string(b))
	return err
}

// asset is what an image's or chart's name may be in a registry.
var asset = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// ParseTag reads "<asset>/<version>". It does not know which assets there are:
// CheckTag does.
func ParseTag(s string) (Tag, error) {
	name, v, err := cut(s)
	if err != nil {
		return Tag{}, err
	}
	if _, r := split(v); r != nil {
		return Tag{}, r.error(s, "tag ", name+"/")
	}
	return Tag{Asset: name, Version: Version{v}}, nil
}

// cut gives the asset's name and what should be its version.
func cut(s string) (name, v string, err error) {
	name, v, ok := strings.Cut(s, "/")
	if !ok {
		return "", "", refusal{why: "no asset before the version", fix: "tag <asset>/<version>, as in bl01t/2026.11.1"}.error(s, "", "")
	}
	if !asset.MatchString(name) {
		return "", "", refusal{why: fmt.Sprintf("%q cannot be the name of an asset", name), fix: "tag <asset>/<version> with the asset in lower case, as in bl01t/2026.11.1"}.error(s, "", "")
	}
	return name, v, nil
}

// ParsePin reads "<asset> <version>".
func ParsePin(s string) (Pin, error) {
	f := strings.Fields(s)
	if len(f) != 2 {
		return Pin{}, &diag.Error{Kind: diag.Invalid, Doing: "reading pin", Asset: printable(s), Err: errors.New("not an asset and a version"), Fix: "write it as <asset> <version>, as in ioc-simstage 1.0.0"}
	}
	v, err := Parse(f[1])
	if err != nil {
		return Pin{}, err
	}
	return Pin{Asset: f[0], Version: v}, nil
}

// Checked is a tag that may be released.
type Checked struct {
	Tag   Tag         `json:"-"`
	Kind  record.Kind `json:"kind"`
	OCI   string      `json:"ociTag"`                 // of its images, charts and record
	Chart string      `json:"chartVersion,omitempty"` // of its charts; empty when it is no SemVer, as an image's need not be
}

// CheckTag tells whether a tag could be released: its asset is one of assets
// (by name, with its kind), and the version can be one of that kind: strict
// SemVer for a beamline or library chart. A bare version is of the only asset
// there is, or of no named asset when kind says what it would be of. An empty
// kind takes the asset's own; nil assets take any name, of the given kind.
// Refusals are diag.Invalid with the mend in Fix.
func CheckTag(tag string, kind record.Kind, assets map[string]record.Kind) (Checked, error) {
	name, v, err := named(tag, kind, assets)
	if err != nil {
		return Checked{}, err
	}
	if kind, err = kindOf(tag, name, kind, assets); err != nil {
		return Checked{}, err
	}
	prefix := strings.TrimSuffix(tag, v)
	_, r := split(v)
	notChart := Version{v}.chart()
	if r == nil && kind != record.Image {
		r = notChart
	}
	if r != nil {
		return Checked{}, r.of(kind).error(tag, "tag ", prefix)
	}
	c := Checked{Tag: Tag{name, Version{v}}, Kind: kind, OCI: Version{v}.OCITag()}
	if notChart == nil {
		c.Chart = v
	}
	return c, nil
}

// named cuts a tag, or names the asset of a bare version: none when only the
// kind is known.
func named(tag string, kind record.Kind, assets map[string]record.Kind) (name, v string, err error) {
	if strings.Contains(tag, "/") || len(assets) != 1 && kind == "" {
		return cut(tag)
	}
	if len(assets) == 1 {
		for name = range assets {
		}
	}
	return name, tag, nil
}

// kindOf tells the kind of the named asset, which must be the asked one if any.
func kindOf(tag, name string, asked record.Kind, assets map[string]record.Kind) (record.Kind, error) {
	own, known := assets[name]
	switch {
	case !known && name != "" && assets != nil:
		return "", refusal{why: fmt.Sprintf("no asset %s in this tree; assets are %s", name, list(assets)), fix: "tag one of these"}.error(tag, "", "")
	case !known && asked == "":
		return "", refusal{why: "nothing says what kind of asset this is", fix: "name the kind: image, chart or beamline"}.error(tag, "", "")
	case known && asked != "" && asked != own:
		return "", refusal{why: fmt.Sprintf("%s is of kind %s, not %s", name, own, asked), fix: "leave the kind away, or tag another asset"}.error(tag, "", "")
	case known:
		return own, nil
	}
	return asked, nil
}

// list names the assets, sorted, the first twenty of them.
func list(assets map[string]record.Kind) string {
	if len(assets) == 0 {
		return "none"
	}
	var names []string
	for n := range assets {
		names = append(names, n)
	}
	slices.Sort(names)
	if more := len(names) - 20; more > 0 {
		names = append(names[:20], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
