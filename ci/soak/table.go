package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// result is what one run did and found.
type result struct {
	IOCs          int
	Length        time.Duration
	Seed          uint64
	Done          map[string]int // action → how often
	Before, After sample
	Supervision   float64 // processors
}

// revisions is how many Helm secrets there may be of one instance.
const revisions = 10

// mostSupervision returns how much of a processor watching idle IOCs may take: a tenth
// for 100 of them. Of few, the kubelet's own work is most of it, and other work on the
// machine is not told apart from it.
func mostSupervision(iocs int) float64 {
	if iocs < 50 {
		return 0.5
	}
	return 0.1 * max(1, float64(iocs)/100)
}

// row is one count, before and after, and what it may be at most.
type row struct {
	what                 string
	before, after, limit float64
	unit                 string
}

func (r row) grew() bool { return r.after > r.limit }

// rows returns every count, in the order of the table.
func (r result) rows() []row {
	a, b := r.Before, r.After
	same := func(what string, before, after int) row {
		return row{what, float64(before), float64(after), float64(before), ""}
	}
	all := []row{
		{"zombies", float64(a.zombies()), float64(b.zombies()), 0, ""},
		{"pods", float64(a.Pods), float64(b.Pods), float64(r.IOCs), ""},
		{"Helm secrets", float64(a.Secrets), float64(b.Secrets), float64(r.IOCs * revisions), ""},
		same("ConfigMaps", a.Maps, b.Maps),
		same("leases", a.Leases, b.Leases),
		same("volume claims", a.Volumes, b.Volumes),
		same("files of the beamline's releases in the registry", a.Registry, b.Registry),
		{"supervision", 0, r.Supervision, mostSupervision(r.IOCs), " processors"},
	}
	const mega = 1e6
	for _, kind := range slices.Sorted(maps.Keys(b.Kinds)) {
		a, b := a.Kinds[kind], b.Kinds[kind]
		all = append(all,
			// A garbage collector and a cache of what was asked for may take a third more.
			row{
				kind + ": memory", float64(a.Memory) / mega, float64(b.Memory) / mega,
				float64(a.Memory)/mega*1.33 + 64, " MB",
			},
			row{kind + ": file descriptors", float64(a.Files), float64(b.Files), float64(a.Files)*1.1 + 20, ""},
			row{kind + ": threads", float64(a.Threads), float64(b.Threads), float64(a.Threads)*1.2 + 20, ""},
		)
	}
	return all
}

func (s sample) zombies() (n int) {
	for _, u := range s.Kinds {
		n += u.Zombies
	}
	return n
}

// fault names what grew; nil when nothing did.
func (r result) fault() error {
	var errs []error
	for _, row := range r.rows() {
		if row.grew() {
			errs = append(errs, fmt.Errorf("%s: %.4g%s before, %.4g%s after, at most %.4g%s",
				row.what, row.before, row.unit, row.after, row.unit, row.limit, row.unit))
		}
	}
	if r.After.Pods < r.IOCs {
		errs = append(errs, fmt.Errorf("%d of %d pods are left", r.After.Pods, r.IOCs))
	}
	return errors.Join(errs...)
}

// table is the result as docs/reliability.md has it.
func (r result) table(now time.Time, machine string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "Measured on %s by `make soak`, on %s: %d IOCs for %s, seed %d.\n\n",
		now.Format(time.DateOnly), machine, r.IOCs, r.Length, r.Seed)
	w.WriteString("| what happened | times |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(r.Done)) {
		fmt.Fprintf(&w, "| %s | %d |\n", name, r.Done[name])
	}
	w.WriteString("\n| what is left | before | after | at most |\n|---|---|---|---|\n")
	for _, row := range r.rows() {
		mark := ""
		if row.grew() {
			mark = ", missed"
		}
		fmt.Fprintf(&w, "| %s | %s | %s%s | %s |\n", row.what,
			figure(row.before, row.unit), figure(row.after, row.unit), mark, figure(row.limit, row.unit))
	}
	return w.String()
}

// figure is a number as a person reads it: counts whole, parts with two digits.
func figure(n float64, unit string) string {
	if n < 10 && unit != "" {
		return fmt.Sprintf("%.2f%s", n, unit)
	}
	return fmt.Sprintf("%.0f%s", n, unit)
}
