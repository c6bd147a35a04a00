// Package gate decides whether a release may go to its beamline.
package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Pass is a release that may be promoted. Only Check makes one that holds a
// release; the zero value holds none and opens nothing.
type Pass struct {
	rec    *record.Record
	digest asset.Digest
}

// Record returns the release that was checked, nil for the zero Pass. It is the
// caller's own copy: what was checked cannot be changed afterwards.
func (p Pass) Record() *record.Record { return clone(p.rec) }

// Digest returns the digest of the record in its registry: "sha256:…".
func (p Pass) Digest() asset.Digest { return p.digest }

// Approval is somebody's consent to promote one release.
type Approval struct {
	By string    // who gave it: a GitHub user or team, as in beamline.yaml
	Of asset.Tag // the git tag it was given for: "bl01t/2026.11.1"
}

// Check lets a beamline's record through when every instance of it was booted
// and passed, no check failed, and its approvers' consent is there when
// beamline.yaml asks for one. digest is that of the record in its registry.
// approval may be nil. All reasons against it are given at once, each a
// diag.Error of kind Refused.
func Check(rec *record.Record, digest asset.Digest, approval *Approval) (Pass, error) {
	if rec == nil {
		return Pass{}, errors.New("checking a gate: no record was given")
	}
	if rec.Kind != asset.Beamline {
		return Pass{}, refusal(rec, "promote a beamline that runs it",
			"it is a release of kind %q, and only a beamline can be promoted", rec.Kind)
	}
	faults := slices.Concat(shape(rec, digest), checks(rec), boots(rec), consent(rec, approval))
	if len(faults) > 0 {
		return Pass{}, errors.Join(faults...)
	}
	return Pass{rec: clone(rec), digest: digest}, nil
}

// shape tells what a record lacks to be deployed at all.
func shape(rec *record.Record, digest asset.Digest) (faults []error) {
	const again = "release the tag again with this version of Tagline"
	if digest == "" {
		faults = append(faults, refusal(rec, again, "its record has no digest"))
	}
	if rec.Namespace == "" {
		faults = append(faults, refusal(rec, again, "its record names no namespace"))
	}
	if len(rec.Instances) == 0 {
		faults = append(
			faults,
			refusal(rec, "give the beamline an instance under iocs/ and tag it again", "it has no IOC instance"),
		)
	}
	for _, inst := range rec.Instances {
		for _, ref := range []asset.Ref{inst.Chart, inst.Image} {
			if ref.Digest() == "" {
				faults = append(
					faults,
					refusal(rec, again, "%s is to run %q, which is not named by digest", inst.Name, ref),
				)
			}
		}
	}
	return faults
}

// checks returns which checks failed. A release without any was not tested.
func checks(rec *record.Record) (faults []error) {
	if len(rec.Checks) == 0 {
		return []error{refusal(rec, "release the tag again", "no check was ever run on it")}
	}
	for _, c := range rec.Checks {
		if c.Passed {
			continue
		}
		why := strings.Join(c.Faults, ", ")
		if why == "" {
			why = "no reason was recorded"
		}
		faults = append(
			faults,
			refusal(rec, "mend it and tag a new version", "check %s of %s failed: %s", c.Name, c.Of, why),
		)
	}
	return faults
}

// boots returns which instances were never started at the image they would run.
// A check that was not run is not a pass.
func boots(rec *record.Record) (faults []error) {
	for _, inst := range rec.Instances {
		booted := slices.ContainsFunc(rec.Checks, func(c record.Test) bool {
			return c.Name == record.BootTest && c.Of == inst.Name && c.Digest != "" &&
				c.Digest == inst.Image.Digest()
		})
		if !booted {
			faults = append(
				faults,
				refusal(
					rec,
					"release the tag again",
					"%s was never booted at the image it would run, %s",
					inst.Name,
					inst.Image,
				),
			)
		}
	}
	return faults
}

// consent tells what is missing of the approval that beamline.yaml asks for.
func consent(rec *record.Record, approval *Approval) []error {
	policy := rec.Gate
	if len(policy.Approvers) == 0 && policy.Environment == "" {
		return nil
	}
	who := "a reviewer of the GitHub environment " + policy.Environment
	if len(policy.Approvers) > 0 {
		who = "one of " + strings.Join(policy.Approvers, ", ")
	}
	var why string
	switch {
	case approval == nil:
		why = "nobody has approved it"
	case approval.Of != rec.Tag:
		why = fmt.Sprintf("the approval is for %s, not for %s", approval.Of, rec.Tag)
	case approval.By == "":
		why = "the approval does not say who gave it"
	case len(policy.Approvers) > 0 && !slices.ContainsFunc(policy.Approvers, func(a string) bool { return strings.EqualFold(a, approval.By) }):
		why = approval.By + " may not approve it"
	default:
		return nil
	}
	return []error{refusal(rec, "have it approved by "+who, "%s", why)}
}

func refusal(rec *record.Record, fix, format string, args ...any) error {
	return &diag.Error{
		Kind:    diag.Refused,
		Doing:   "promoting",
		Asset:   string(rec.Asset),
		Version: rec.Version.String(),
		Fix:     fix,
		Err:     fmt.Errorf(format, args...),
	}
}

// clone copies a record and all that it holds.
func clone(rec *record.Record) *record.Record {
	if rec == nil {
		return nil
	}
	text, err := json.Marshal(rec)
	copied := &record.Record{}
	if err == nil {
		err = json.Unmarshal(text, copied)
	}
	if err != nil {
		panic("copying a record: " + err.Error()) // a record is plain data
	}
	return copied
}
