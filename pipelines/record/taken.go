package record

import (
	"reflect"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Origin is the release for which a test was run that another release has taken.
type Origin struct {
	Release asset.Tag    `json:"release"` // "bl45p/2026.11.1", with the asset also where git's tag has none
	Record  asset.Digest `json:"record"`  // the digest of that release's record
}

// Origins returns the releases from which tests were taken, each once.
func (r *Record) Origins() (all []Origin) {
	for _, t := range r.Checks {
		if t.From != nil && !slices.Contains(all, *t.From) {
			all = append(all, *t.From)
		}
	}
	return all
}

// TakenFrom returns the tests that were taken from a release.
func (r *Record) TakenFrom(o Origin) (tests []Test) {
	for _, t := range r.Checks {
		if t.From != nil && *t.From == o {
			tests = append(tests, t)
		}
	}
	return tests
}

// Ran reports whether this release ran a test that another has taken from it: the
// same one, word for word, passed, and not taken itself.
func (r *Record) Ran(t Test) bool {
	t.From = nil
	return t.Passed && t.Inputs != "" && slices.ContainsFunc(r.Checks, func(own Test) bool {
		return reflect.DeepEqual(own, t)
	})
}

// validateTaken checks what a test says of where it was taken from.
func (r *Record) validateTaken(f *faults, t Test) {
	if t.From == nil {
		return
	}
	f.must((t.Name == BootTest || t.Name == ServiceTest) && t.Inputs != "" && t.Digest != "",
		"check %s of %s was taken from %s, and does not say what was tested", t.Name, t.Of, t.From.Release)
	f.must(t.From.Record != "" && t.From.Release.Asset == r.Asset && !t.From.Release.Version.IsZero() &&
		t.From.Release.Version != r.Version,
		"check %s of %s was taken from %q, record %q, which is no other release of %s", t.Name, t.Of,
		t.From.Release, t.From.Record, r.Asset)
}
