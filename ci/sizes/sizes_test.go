package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is measured is a release that can be written and read, and every figure has a value.
func TestABeamlineIsMeasured(t *testing.T) {
	all, err := measure(t.Context(), 2)
	require.NoError(t, err)
	for _, f := range all {
		assert.Positive(t, f.value, f.what)
	}
	rec := beamlineOf(3)
	require.NoError(t, rec.Validate())
	assert.Len(t, rec.Instances, 3)
}

func TestTheTableSaysHowMuchMoreALargeBeamlineTakes(t *testing.T) {
	few, many := []figure{{"the record", 1.5, "MB"}}, []figure{{"the record", 15, "MB"}}
	assert.Equal(t, "Measured on 2026-11-28 by `make bench`, on 2 × x.\n\n"+
		"| of a beamline | 50 IOCs, 100000 PVs | 500 IOCs, 1000000 PVs | times as much |\n|---|---|---|---|\n"+
		"| the record | 1.50 MB | 15.00 MB | 10.0 |\n",
		table(few, many, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), "2 × x"))
}
