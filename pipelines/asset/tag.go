package asset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Tag is a git tag that asks for a release of one asset: "<asset>/<version>". A
// repository of one asset may leave the asset out; Assets.Resolve adds it.
type Tag struct {
	Asset   Name // empty in a bare version
	Version Version
}

// String returns the tag as git has it.
func (t Tag) String() string {
	if t.Asset == "" {
		return t.Version.String()
	}
	return string(t.Asset) + "/" + t.Version.String()
}

// Pin returns the released asset that the tag asks for.
func (t Tag) Pin() Pin { return Pin(t) }

// MarshalText returns the tag as git has it, for JSON.
func (t Tag) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText returned; empty text is no tag.
func (t *Tag) UnmarshalText(b []byte) error { return unmarshal(t, b, ParseTag) }

// ParseTag reads "<asset>/<version>", or a bare version. It knows neither the
// assets of a repository nor their kinds: Assets.Resolve does.
func ParseTag(s string) (Tag, error) { return Image.ParseTag(s) } // of which every version can be

// ParseTag reads a tag of an asset of the kind, or a bare version: a beamline and
// a library chart need strict SemVer, because Helm does.
func (k Kind) ParseTag(s string) (Tag, error) {
	name, v, err := cut(s)
	if err != nil {
		return Tag{}, err
	}
	_, r := split(v)
	if r == nil && k != Image {
		r = Version{v}.chart()
	}
	if r != nil {
		return Tag{}, r.suiting(k).error(s, "tag ", strings.TrimSuffix(s, v))
	}
	return Tag{name, Version{v}}, nil
}

// cut returns the asset's name, empty in a bare version, and what should be the
// version.
func cut(s string) (name Name, version string, err error) {
	first, rest, ok := strings.Cut(s, "/")
	if !ok {
		return "", s, nil
	}
	if !names.MatchString(first) {
		return "", "", refusal{why: fmt.Sprintf("%q cannot be the name of an asset", first),
			fix: "tag <asset>/<version> with the asset in lower case, as in bl01t/2026.11.1"}.error(s, "", "")
	}
	return Name(first), rest, nil
}

// Assets is everything in a tree that has a version of its own.
type Assets map[Name]Kind

// Resolve reads a git tag of a tree. A bare version is of the only asset there
// is. Refusals are diag.Invalid with the mend in Fix: an asset that the tree does
// not have, a version that an asset of its kind cannot have.
func (a Assets) Resolve(s string) (Tag, error) {
	name, _, err := cut(s)
	if err != nil {
		return Tag{}, err
	}
	if name == "" && len(a) != 1 {
		r := refusal{why: "no asset before the version", fix: "tag <asset>/<version>, as in bl01t/2026.11.1"}
		return Tag{}, r.error(s, "", "")
	}
	for only := range a {
		if name == "" {
			name = only
		}
	}
	kind, ok := a[name]
	if !ok {
		why := fmt.Sprintf("no asset %s in this tree; assets are %s", name, a.list())
		return Tag{}, refusal{why: why, fix: "tag one of these"}.error(s, "", "")
	}
	t, err := kind.ParseTag(s)
	t.Asset = name
	return t, err
}

// list names the assets, sorted, the first twenty of them.
func (a Assets) list() string {
	if len(a) == 0 {
		return "none"
	}
	names := slices.Sorted(maps.Keys(a))
	if more := len(names) - 20; more > 0 {
		return fmt.Sprintf("%s, and %d more", List(names[:20]), more)
	}
	return List(names)
}
