package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// result is what all runs did. Runs that left something half stop it.
type result struct {
	IOCs int
	Seed uint64
	Rows map[string]counts // fault → counts
}

// counts are the runs of one fault.
type counts struct {
	Runs      int
	Early     int // the command had ended before the fault
	Succeeded int // the command ended well in spite of it
}

// add counts what a fault did.
func (r *result) add(fault string, c counts) {
	sum := r.Rows[fault]
	sum.Runs += c.Runs
	sum.Early += c.Early
	sum.Succeeded += c.Succeeded
	r.Rows[fault] = sum
}

// table is the result as docs/reliability.md has it.
func (r *result) table(now time.Time, machine string) string {
	var rows strings.Builder
	var all counts
	for _, fault := range slices.Sorted(maps.Keys(r.Rows)) {
		c := r.Rows[fault]
		all.Runs += c.Runs
		fmt.Fprintf(
			&rows, "| %s | %d | %d | %d | %d |\n", fault, c.Runs, c.Early, c.Succeeded, c.Runs-c.Early-c.Succeeded,
		)
	}
	return fmt.Sprintf("Measured on %s by `make faults`, on %s: %d faults to a beamline of %d IOCs, seed %d. "+
		"Half published afterwards: none. Half promoted afterwards: none.\n\n"+
		"| fault | runs | too late to matter | the command succeeded | the command failed |\n|---|---|---|---|---|\n%s",
		now.Format(time.DateOnly), machine, all.Runs, r.IOCs, r.Seed, rows.String())
}
