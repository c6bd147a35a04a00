package diag

import (
	"cmp"
	"errors"
	"slices"
)

// Faults collects what is wrong with people's files, so that all of it can be
// reported in one run. The zero value has none.
type Faults []*Error

// Add keeps err, or each of the faults that it joins; nil adds nothing. What
// is no *Error is taken as Broken.
func (f *Faults) Add(err error) {
	for _, one := range All(err) {
		var fault *Error
		if !errors.As(one, &fault) {
			fault = &Error{Kind: Broken, Err: one}
		}
		*f = append(*f, fault)
	}
}

// Addf keeps a fault of a person's file, as Invalidf makes it.
func (f *Faults) Addf(file string, line int, fix, format string, args ...any) {
	*f = append(*f, Invalidf(file, line, fix, format, args...))
}

// Err joins the faults by file and line; nil when there are none.
func (f Faults) Err() error {
	sorted := slices.Clone(f)
	slices.SortStableFunc(sorted, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	errs := make([]error, len(sorted))
	for i, e := range sorted {
		errs[i] = e
	}
	return errors.Join(errs...)
}
