package diag_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestFaults(t *testing.T) {
	var f diag.Faults
	assert.NoError(t, f.Err())
	f.Add(nil)
	assert.NoError(t, f.Err())
	f.Addf("b", 1, "mend it", "first")
	f.Addf("a", 10, "mend it", "second")
	f.Add(errors.Join(
		errors.Join(diag.Invalidf("a", 2, "mend it", "third")), diag.Invalidf("a", 2, "mend it", "fourth"),
	))
	assert.EqualError(
		t, f.Err(), "a:2: third; mend it\na:2: fourth; mend it\na:10: second; mend it\nb:1: first; mend it",
	)
	assert.Equal(t, diag.Invalid, diag.KindOf(f.Err()))
	f.Add(errors.New("the disk is full"))
	assert.Equal(t, diag.Broken, f[len(f)-1].Kind)
}
