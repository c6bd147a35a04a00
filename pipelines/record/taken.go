package record

import (
	"reflect"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Origin is the release that ran a test, or built a module, which another has taken.
type Origin struct {
	Release asset.Tag    `json:"release"` // "bl45p/2026.11.1", with the asset also where git's tag has none
	Record  asset.Digest `json:"record"`  // the digest of that release's record
}

// Origins returns the releases from which tests were taken, each once.
func (r *Record) Origins() (all []Origin) {
	for _, t := range r.Checks {
		all = withOrigin(all, t.From)
	}
	return all
}

// Builders returns the releases that built modules which this one has taken, each once.
func (r *Record) Builders() (all []Origin) {
	for _, s := range r.Sources {
		all = withOrigin(all, s.From)
	}
	return all
}

// withOrigin returns origins with one more, unless there is none or it is among them.
func withOrigin(all []Origin, more *Origin) []Origin {
	if more == nil || slices.Contains(all, *more) {
		return all
	}
	return append(all, *more)
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
	r.validateOrigin(f, "check "+t.Name+" of "+t.Of, *t.From)
}

// validateOrigin checks that something was taken from another release of this asset.
func (r *Record) validateOrigin(f *faults, what string, o Origin) {
	f.must(
		o.Record != "" && o.Release.Asset == r.Asset && !o.Release.Version.IsZero() && o.Release.Version != r.Version,
		"%s was taken from %q, record %q, which is no other release of %s", what, o.Release, o.Record, r.Asset,
	)
}
