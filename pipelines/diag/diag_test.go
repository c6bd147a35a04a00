package diag_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestASentence(t *testing.T) {
	whole := diag.Error{
		Doing: "building asyn for", Asset: "ioc-a", Version: "1.0.0", File: "image.yaml", Line: 3, Fix: "mend it",
		Err: errors.New("make failed"),
	}
	for want, change := range map[string]func(*diag.Error){
		"image.yaml:3: building asyn for ioc-a 1.0.0: make failed; mend it": func(*diag.Error) {},
		"image.yaml: building asyn for ioc-a 1.0.0: make failed; mend it":   func(e *diag.Error) { e.Line = 0 },
		"building asyn for ioc-a 1.0.0: make failed; mend it":               func(e *diag.Error) { e.File = "" },
		"image.yaml:3: building asyn for ioc-a 1.0.0; mend it":              func(e *diag.Error) { e.Err = nil },
		"image.yaml:3: building asyn for ioc-a 1.0.0: make failed":          func(e *diag.Error) { e.Fix = "" },
		"image.yaml:3: make failed; mend it": func(e *diag.Error) {
			e.Doing, e.Asset, e.Version = "", "", ""
		},
		// Details follow the sentence that they belong to.
		"image.yaml:3: building asyn for ioc-a 1.0.0: make failed; mend it\n  a.c:3: error\n  a.c:4: error": func(e *diag.Error) {
			e.Err = errors.New("make failed\n  a.c:3: error\n  a.c:4: error")
		},
		// Several causes have one fix, after the last.
		"image.yaml:3: building asyn for ioc-a 1.0.0: one\ntwo; mend it": func(e *diag.Error) {
			e.Err = errors.Join(errors.New("one"), errors.New("two"))
		},
		"image.yaml:3: building asyn for ioc-a 1.0.0: one\n  its log\ntwo; mend it": func(e *diag.Error) {
			e.Err = errors.New("one\n  its log\ntwo")
		},
	} {
		e := whole
		change(&e)
		assert.EqualError(t, &e, want)
	}
}

func TestTheFirstKindIsTheExitStatus(t *testing.T) {
	refused, invalid := &diag.Error{Kind: diag.Refused}, diag.Invalidf("a", 1, "mend it", "x")
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"nothing failed":     {nil, 0},
		"an error of others": {errors.New("x"), 1},
		"one":                {refused, 3},
		"wrapped":            {fmt.Errorf("x: %w", refused), 3},
		"the first of two":   {errors.Join(invalid, refused), 2},
		"and of those":       {errors.Join(errors.New("x"), &diag.Error{Kind: diag.Undone}), 4},
	} {
		assert.Equal(t, c.want, diag.ExitStatus(c.err), name)
	}
}

func TestAllAreTheSingleFaults(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	assert.Empty(t, diag.All(nil))
	assert.Equal(t, []error{a}, diag.All(a))
	assert.Equal(t, []error{a, b, c}, diag.All(errors.Join(a, errors.Join(b, nil, c))))
}
