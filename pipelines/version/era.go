package version

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Dated is a version of an asset and when the commit it was tagged on was
// made; the zero time when that is not known.
type Dated struct {
	Version asset.Version
	When    time.Time
}

// era is the time in which a scheme was used.
type era struct {
	scheme      Scheme
	first, last Dated
}

// Sort orders versions of one asset, oldest first: by Compare within a scheme,
// and by the history across schemes, when the commits of one scheme are all
// before those of the other. Otherwise it refuses and leaves the list as it is.
func Sort(list []Dated) error {
	eras, err := order(list)
	if err != nil {
		return err
	}
	type key struct {
		parts asset.Parts
		era   int
		Dated
	}
	keys := make([]key, len(list))
	for i, d := range list {
		p := d.Version.Parts()
		keys[i] = key{p, slices.Index(eras, scheme(p)), d}
	}
	slices.SortStableFunc(keys, func(a, b key) int {
		return cmp.Or(
			cmp.Compare(a.era, b.era), compare(a.parts, b.parts),
			strings.Compare(a.Version.String(), b.Version.String()),
		)
	})
	for i, k := range keys {
		list[i] = k.Dated
	}
	return nil
}

// order returns the schemes of a list in the order they were used.
func order(list []Dated) ([]Scheme, error) {
	var eras []*era
	for _, d := range list {
		s := SchemeOf(d.Version)
		i := slices.IndexFunc(eras, func(e *era) bool { return e.scheme == s })
		if i < 0 {
			eras = append(eras, &era{s, d, d})
			continue
		}
		e := eras[i]
		if d.When.Before(e.first.When) {
			e.first = d
		}
		if d.When.After(e.last.When) {
			e.last = d
		}
	}
	slices.SortStableFunc(eras, func(a, b *era) int {
		return cmp.Or(a.first.When.Compare(b.first.When), a.last.When.Compare(b.last.When))
	})
	schemes := make([]Scheme, len(eras))
	for i, e := range eras {
		schemes[i] = e.scheme
		if i > 0 && !eras[i-1].precedes(e) {
			return nil, crossing(eras[i-1].last.Version, e.first.Version, "their history doesn't say which came first")
		}
	}
	return schemes, nil
}

// precedes reports whether all of e is older than all of f.
func (e *era) precedes(f *era) bool {
	return !e.first.When.IsZero() && !e.last.When.After(f.first.When) && e.first.When.Before(f.last.When)
}

// Latest returns the newest release: never a pre-release, a variant that a word
// names, or a version of a scheme that was abandoned for another. It refuses
// when there is none, or when the history doesn't say which scheme is in use.
func Latest(list []Dated) (asset.Version, error) {
	releases := slices.DeleteFunc(slices.Clone(list), func(d Dated) bool { return !IsRelease(d.Version) })
	if len(releases) == 0 {
		return asset.Version{}, invalid(
			"release a version that is no pre-release first", "no release among the versions",
		)
	}
	if err := Sort(releases); err != nil {
		return asset.Version{}, err
	}
	return releases[len(releases)-1].Version, nil
}

// Previous returns the version of list that comes before v: for a release the last
// release, for others whatever is there. Where the history doesn't say which
// scheme came first, only versions of v's scheme count. It is the zero Version
// when v is the first.
func Previous(list []Dated, v asset.Version) asset.Version {
	kept := slices.DeleteFunc(
		slices.Clone(list), func(d Dated) bool { return d.Version != v && IsRelease(v) && !IsRelease(d.Version) },
	)
	if Sort(kept) != nil {
		kept = slices.DeleteFunc(kept, func(d Dated) bool { return SchemeOf(d.Version) != SchemeOf(v) })
		if Sort(kept) != nil {
			return asset.Version{}
		}
	}
	if i := slices.IndexFunc(kept, func(d Dated) bool { return d.Version == v }); i > 0 {
		return kept[i-1].Version
	}
	return asset.Version{}
}

// Next proposes the version after those in list, which are all of one asset:
// the release of the newest pre-release, today's date where calendar versions
// are used, or the last number plus one. Without any, it is today's date for a
// beamline and 1.0.0 for others. Versions that kind cannot have don't count.
func Next(list []Dated, kind asset.Kind, now time.Time) (asset.Version, error) {
	usable := slices.DeleteFunc(slices.Clone(list), func(d Dated) bool {
		_, chart := d.Version.Chart()
		return d.Version.IsZero() || d.Version.Parts().Variant != "" || kind != asset.Image && chart != nil
	})
	today := fmt.Sprintf("%d.%d.%d", now.Year(), now.Month(), now.Day())
	if len(usable) == 0 && kind == asset.Beamline {
		return asset.ParseVersion(today)
	}
	if len(usable) == 0 {
		return asset.ParseVersion("1.0.0")
	}
	if err := Sort(usable); err != nil {
		return asset.Version{}, err
	}
	newest := usable[len(usable)-1].Version
	p := newest.Parts()
	if date, err := asset.ParseVersion(today); err == nil && scheme(p) == Calendar && len(p.Numbers) == 3 {
		if c, err := Compare(newest, date); err == nil && c < 0 && len(p.Pre) == 0 {
			return date, nil
		}
	}
	return asset.ParseVersion(next(p))
}

// next spells the version that follows.
func next(p asset.Parts) string {
	last := p.Numbers
	if p.Mark != "" {
		last = p.Release
	}
	if len(p.Pre) == 0 {
		last[len(last)-1]++
	}
	s := p.Numbers.String()
	if p.Mark != "" {
		s += p.Mark + p.Release.String()
	}
	return s
}
