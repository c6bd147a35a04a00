package page

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// Filter is which IOCs are shown, and in which order. Of one key, any value
// may match; of several keys, all must.
type Filter struct {
	values url.Values
	states []status.Level
	pv     *regexp.Regexp // nil without one
	sort   column
	down   bool
}

// levels are all that an IOC or a beamline can need.
var levels = []status.Level{
	status.Unread, status.Failing, status.Restarted, status.Drifted, status.Stray, status.Stopped, status.Well,
}

// keys are the parameters of the page's address. The first chooses beamlines, the
// next six choose IOCs.
var keys = []string{"beamline", "state", "ioc", "version", "node", "text", "pv", "sort", "format", "after"}

// ParseFilter reads a filter from the parameters of an address. The error is of
// kind diag.Invalid.
func ParseFilter(values url.Values) (Filter, error) {
	f := Filter{values: url.Values{}, sort: "state"}
	refuse := func(fix, format string, args ...any) (Filter, error) {
		return Filter{}, &diag.Error{
			Kind: diag.Invalid, Doing: "reading the page's address", Fix: fix, Err: fmt.Errorf(format, args...),
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(keys, key) {
			return refuse("use "+strings.Join(keys[:8], ", "), "there is no parameter %q", key)
		}
		for _, v := range values[key] {
			if v != "" && key != "format" && key != "after" {
				f.values.Add(key, v)
			}
		}
	}
	for _, word := range f.values["state"] {
		i := slices.IndexFunc(levels, func(l status.Level) bool { return l.String() == word })
		if i < 0 {
			return refuse("use "+words(), "%q is no state", word)
		}
		f.states = append(f.states, levels[i])
	}
	if patterns := f.values["pv"]; len(patterns) > 0 {
		var err error
		if f.pv, err = regexp.Compile(`^(?:` + strings.Join(patterns, "|") + `)$`); err != nil {
			return refuse("name a PV, or give a regular expression that its whole name matches", "%v", err)
		}
	}
	if by := f.values.Get("sort"); by != "" {
		name, down := strings.CutPrefix(by, "-")
		if f.sort, f.down = column(name), down; orders[f.sort] == nil {
			return refuse("use "+strings.Join(columnNames(), ", "), "nothing can be sorted by %q", name)
		}
	}
	return f, nil
}

func words() string {
	var all []string
	for _, l := range levels {
		all = append(all, l.String())
	}
	return strings.Join(all, ", ")
}

// Address returns the filter as the parameters of an address, with one key set to
// a value instead; without it where the value is empty.
func (f Filter) Address(key, value string) string {
	values := maps.Clone(f.values)
	if values.Del(key); value != "" {
		values.Set(key, value)
	}
	return "?" + values.Encode()
}

// Sorted returns the address that sorts by a column; the other way round where it
// is sorted by it already.
func (f Filter) Sorted(name string) string {
	if string(f.sort) == name && !f.down {
		name = "-" + name
	}
	return f.Address("sort", name)
}

// Order returns how a column is sorted, as aria-sort has it.
func (f Filter) Order(name string) string {
	switch {
	case string(f.sort) != name:
		return "none"
	case f.down:
		return "descending"
	}
	return "ascending"
}

// Value returns what the filter has for a key, empty where nothing.
func (f Filter) Value(key string) string { return strings.Join(f.values[key], ", ") }

// picksIOCs reports whether the filter leaves out some of a beamline's IOCs.
func (f Filter) picksIOCs() bool {
	return slices.ContainsFunc(keys[1:7], func(key string) bool { return f.values.Has(key) })
}

// wantsBeamline reports whether anything of a beamline may be shown. A cluster
// that could not be read is always shown: the beamline may be there.
func (f Filter) wantsBeamline(name string) bool {
	return name == "" || f.has("beamline", func(v string) bool { return v == name })
}

// wants reports whether an IOC of a beamline is shown.
func (f Filter) wants(i *IOC, line *Beamline, serves func(instance string) bool) bool {
	unread := line.Failed != "" && slices.Contains(f.states, status.Unread)
	switch {
	case len(f.states) > 0 && !slices.Contains(f.states, i.Level) && !unread:
	case !f.has("ioc", func(v string) bool { return i.IOC.IOC == v || strings.HasPrefix(i.IOC.IOC, v+" ") }):
	case !f.has("version", func(v string) bool { return v == i.Version }):
	case !f.has("node", func(v string) bool { return v == i.Node }):
	case !f.has("text", func(v string) bool {
		return strings.Contains(strings.ToLower(i.text(line.Beamline)), strings.ToLower(v))
	}):
	case f.pv != nil && !serves(i.Name):
	default:
		return true
	}
	return false
}

// has reports whether a value of a key fits; true where the filter has none.
func (f Filter) has(key string, fits func(string) bool) bool {
	return len(f.values[key]) == 0 || slices.ContainsFunc(f.values[key], fits)
}

// column is what rows can be sorted by.
type column string

var orders = map[column]func(a, b *IOC) int{
	"state":    func(a, b *IOC) int { return a.standing().Compare(b.standing()) },
	"name":     func(a, b *IOC) int { return cmp.Compare(a.Name, b.Name) },
	"version":  func(a, b *IOC) int { return cmp.Compare(a.Version, b.Version) },
	"generic":  func(a, b *IOC) int { return cmp.Compare(a.IOC.IOC, b.IOC.IOC) },
	"node":     func(a, b *IOC) int { return cmp.Compare(a.Node, b.Node) },
	"restarts": func(a, b *IOC) int { return cmp.Compare(a.Restarts, b.Restarts) },
	"since":    func(a, b *IOC) int { return a.Since.Compare(b.Since) },
}

func columnNames() (names []string) {
	for name := range orders {
		names = append(names, string(name))
	}
	slices.Sort(names)
	return names
}

// compare orders IOCs: by the column, then by name.
func (f Filter) compare(a, b *IOC) int {
	order := orders[f.sort](a, b)
	if f.down {
		order = -order
	}
	return cmp.Or(order, cmp.Compare(a.Name, b.Name))
}
