// Package gate decides whether a release may go to its beamline: by the
// beamline's policy, to which the release itself can add and from which it can
// take nothing away.
package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Pass is a release that may be promoted. Only a Verdict makes one that holds a
// release; the zero value holds none and opens nothing.
type Pass struct {
	rec      *record.Record
	digest   asset.Digest
	override string
	approved []string
	signed   []record.Signature
	needs    map[string][]string
	verify   *policy.Verify
	told     bool
}

// Record returns the release that was checked, nil for the zero Pass. It is the
// caller's own copy: what was checked cannot be changed afterwards.
func (p Pass) Record() *record.Record { return clone(p.rec) }

// Digest returns the digest of the record in its registry: "sha256:…".
func (p Pass) Digest() asset.Digest { return p.digest }

// Override returns who overrode the policy and why; empty when nobody did.
func (p Pass) Override() string { return p.override }

// Approvals returns the names of those whose approvals counted.
func (p Pass) Approvals() []string { return slices.Clone(p.approved) }

// Signatures returns who signed the release, everything that it runs, and the
// releases that ran its tests; none where the policy asks for none.
func (p Pass) Signatures() []record.Signature { return slices.Clone(p.signed) }

// Needs returns by instance what its chart needs beyond an IOC, to which the policy
// consents: all that may be deployed of it.
func (p Pass) Needs() map[string][]string {
	all := maps.Clone(p.needs)
	for name := range all {
		all[name] = slices.Clone(all[name])
	}
	return all
}

// Verify returns what the policy wants watched after the change, nil for nothing.
func (p Pass) Verify() *policy.Verify { return p.verify }

// Told reports whether the policy names somebody to be told of what is done.
func (p Pass) Told() bool { return p.told }

// Facts is everything that a decision rests on.
type Facts struct {
	Beamline  asset.Name        // what was asked for
	Namespace string            // likewise
	Release   *attest.Release   // read as attest.Read does, and nothing of it trusted further
	Parents   []*attest.Release // of everything that it is built on and runs, read in the same way
	Taken     []*attest.Release // whose tests it has taken, read in the same way
	Policy    *policy.Policy
	Approvals []approval.Judged
	Needs     map[string][]string // by instance, what its chart needs beyond an IOC, as chart.Needs says
	// by image digest: since when it is healthy on a beamline of the policy's after
	Healthy    map[asset.Digest]time.Time
	Unreadable []error // what should be known and can't be read
	Now        time.Time
}

// Rule is a rule of the gate.
type Rule string

// The rules. The last four can be overridden.
const (
	Kind      Rule = "kind"      // it is a beamline's record, for this beamline and namespace
	Tests     Rule = "tests"     // every instance booted, the policy's checks passed, none failed
	Signed    Rule = "signature" // the policy's signers signed it
	Known     Rule = "known"     // everything that must be known could be read
	Charts    Rule = "charts"    // the policy consents to what charts need beyond an IOC
	Approved  Rule = "approvals"
	Soaked    Rule = "soak"
	Open      Rule = "closed times"
	NotOnHold Rule = "holds"
)

// overridable reports whether an override can set aside the rule.
func (r Rule) overridable() bool {
	return r == Approved || r == Soaked || r == Open || r == NotOnHold
}

// Reason is one reason for or against a promotion.
type Reason struct {
	Rule Rule   `json:"rule"`
	OK   bool   `json:"ok"`
	Why  string `json:"why"`
	Fix  string `json:"fix,omitempty"` // of a reason against
	// Overridden is set on a reason against that an override set aside.
	Overridden bool `json:"overridden,omitempty"`
}

// Verdict is every reason for and against the promotion of one release.
type Verdict struct {
	Beamline  asset.Name        `json:"beamline"`
	Version   asset.Version     `json:"version"`
	Record    asset.Digest      `json:"record"` // its digest
	Policy    string            `json:"policy"` // its digest
	Open      bool              `json:"open"`   // whether the release may be promoted
	Reasons   []Reason          `json:"reasons"`
	Approvals []approval.Judged `json:"approvals,omitempty"`
	Override  string            `json:"override,omitempty"` // who overrode it and why
	// by instance, what its chart needs beyond an IOC
	Needs map[string][]string `json:"needs,omitempty"`

	doing  string // how errors begin
	rec    *record.Record
	signed []record.Signature
	verify *policy.Verify
	told   bool // the policy has receivers
}

// Decide judges a release by all rules.
func Decide(f Facts) *Verdict {
	rec := f.Release.Record
	v := &Verdict{
		Beamline: f.Beamline, Version: rec.Version, Record: f.Release.Digest, Policy: f.Policy.Digest(),
		Approvals: f.Approvals, Needs: f.Needs, doing: "promoting", rec: clone(rec), signed: signatures(f),
		verify: f.Policy.Verify, told: len(f.Policy.Events) > 0,
	}
	v.judge(f, kind, tests, signature, known, consent, approvals, soak, closed, holds)
	return v
}

// judge decides by rules.
func (v *Verdict) judge(f Facts, rules ...func(Facts) []Reason) {
	for _, rule := range rules {
		v.Reasons = append(v.Reasons, rule(f)...)
	}
	v.Override = override(f)
	v.Open = true
	for i, r := range v.Reasons {
		if !r.OK && r.Rule.overridable() && v.Override != "" {
			v.Reasons[i].Overridden = true
			continue
		}
		v.Open = v.Open && r.OK
	}
}

// signatures returns who signed a release, what it runs, and what its tests were run
// for.
func signatures(f Facts) (all []record.Signature) {
	for _, r := range slices.Concat([]*attest.Release{f.Release}, f.Parents, f.Taken) {
		if r.Signer != "" {
			all = append(all, record.Signature{Asset: r.Record.Asset, Tag: r.Record.Tag, Signer: r.Signer})
		}
	}
	return all
}

// Pass returns the release for promoting. The error joins all reasons against it,
// each a diag.Error of kind Refused.
func (v *Verdict) Pass() (Pass, error) {
	var faults []error
	for _, r := range v.Reasons {
		if !r.OK && !r.Overridden {
			faults = append(faults, &diag.Error{
				Kind: diag.Refused, Doing: v.doing, Asset: string(v.Beamline), Version: v.Version.String(),
				Err: errors.New(r.Why), Fix: r.Fix,
			})
		}
	}
	if len(faults) > 0 || !v.Open {
		return Pass{}, errors.Join(faults...)
	}
	var approved []string
	for _, j := range v.Approvals {
		if j.Good && j.Override == "" {
			approved = append(approved, j.By)
		}
	}
	return Pass{
		rec: v.rec, digest: v.Record, override: v.Override, approved: approved, signed: v.signed,
		needs: v.Needs, verify: v.verify, told: v.told,
	}, nil
}

// override returns who overrides the policy and why, empty when nobody does.
func override(f Facts) string {
	for _, j := range f.Approvals {
		if j.Good && j.Override != "" && mayOverride(f.Policy, j.By) {
			return fmt.Sprintf("%s: %s", j.By, j.Override)
		}
	}
	return ""
}

func mayOverride(p *policy.Policy, name string) bool {
	for _, n := range p.Override {
		if n == name {
			return true
		}
	}
	return false
}

// yes and no are reasons for and against.
func yes(r Rule, format string, args ...any) Reason {
	return Reason{Rule: r, OK: true, Why: fmt.Sprintf(format, args...)}
}

func no(r Rule, fix, format string, args ...any) Reason {
	return Reason{Rule: r, Why: fmt.Sprintf(format, args...), Fix: fix}
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

// list joins names for a message.
func list(names []string) string { return strings.Join(names, ", ") }
