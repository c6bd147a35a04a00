package gate

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/record"
)

const (
	imageDigest  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	recordDigest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	chartDigest  = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
)

// parse reads a version.
func parse(s string) asset.Version {
	v, err := asset.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

// now is a Monday in the beam time of these tests.
var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// good are facts that have no reason against a promotion.
func good() Facts {
	return Facts{
		Beamline: "bl01t", Namespace: "bl01t", Now: now, Policy: &policy.Policy{},
		Release: &attest.Release{Digest: recordDigest, Signer: "a key", Record: &record.Record{
			Kind: asset.Beamline, Asset: "bl01t", Version: parse("2026.11.1"),
			Tag: asset.Tag{Asset: "bl01t", Version: parse("2026.11.1")}, Namespace: "bl01t",
			Instances: []record.Instance{{
				Name:  "bl01t-mo-ioc-01",
				Chart: "127.0.0.1:5000/charts/bl01t-mo-ioc-01@" + chartDigest,
				Image: "127.0.0.1:5000/ioc-simstage-runtime@" + imageDigest,
				IOC:   asset.Pin{Asset: "ioc-simstage", Version: parse("1.0.0")},
			}},
			Checks: []record.Test{{Name: "boot", Of: "bl01t-mo-ioc-01", Digest: imageDigest, Passed: true}},
		}},
	}
}

func TestATestedReleaseMayBePromoted(t *testing.T) {
	f := good()
	v := Decide(f)
	require.True(t, v.Open)
	pass, err := v.Pass()
	require.NoError(t, err)
	require.Equal(t, f.Release.Record, pass.Record())
	require.Equal(t, asset.Digest(recordDigest), pass.Digest())
	require.Empty(t, pass.Override())
	require.Nil(t, Pass{}.Record())
	require.Nil(t, pass.Verify())
}

// What is watched after a promotion is what the policy says that let it through.
func TestAPassSaysWhatIsWatched(t *testing.T) {
	f := good()
	f.Policy.Verify = &policy.Verify{For: "2m", PVs: []string{"BL01T:X"}}
	pass, err := Decide(f).Pass()
	require.NoError(t, err)
	require.Equal(t, f.Policy.Verify, pass.Verify())
}

func TestWhatWasCheckedCannotBeChanged(t *testing.T) {
	f := good()
	pass, err := Decide(f).Pass()
	require.NoError(t, err)
	f.Release.Record.Instances[0].Image = "another"
	pass.Record().Instances[0].Image = "another"
	require.Equal(t, good().Release.Record, pass.Record())
}

// by is an approval that counts.
func by(name string) approval.Judged { return approval.Judged{By: name, Good: true} }

// spoiled is a change of good facts, and the reason that it leads to.
type spoiled struct {
	change func(*Facts)
	says   string
}

// rec changes the record of the release.
func rec(change func(*record.Record)) func(*Facts) {
	return func(f *Facts) { change(f.Release.Record) }
}

// refuses runs Decide on facts that were good before their change.
func refuses(t *testing.T, cases map[string]spoiled) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.change(&f)
			v := Decide(f)
			require.False(t, v.Open)
			pass, err := v.Pass()
			require.Nil(t, pass.Record())
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

func TestDecideRefusesRelease(t *testing.T) {
	refuses(t, map[string]spoiled{
		"an image":          {rec(func(r *record.Record) { r.Kind = asset.Image }), `a release of kind "image"`},
		"another beamline":  {func(f *Facts) { f.Beamline = "bl02t" }, "the release of beamline bl01t, not of bl02t"},
		"another namespace": {func(f *Facts) { f.Namespace = "bl02t" }, `it goes to namespace "bl01t", and the beamline's is "bl02t"`},
		"no digest":         {func(f *Facts) { f.Release.Digest = "" }, "its record has no digest"},
		"no instances":      {rec(func(r *record.Record) { r.Instances = nil }), "it has no IOC instance"},
		"a chart by tag": {
			rec(func(r *record.Record) { r.Instances[0].Chart = "host/charts/x:1" }), "which is not named by digest",
		},
		"no checks": {rec(func(r *record.Record) { r.Checks = nil }), "no check was ever run on it"},
		"a failed check": {
			rec(func(r *record.Record) { r.Checks[0].Passed = false }), "failed: no reason was recorded",
		},
		"no boot":             {rec(func(r *record.Record) { r.Checks[0].Name = "smoke" }), "was never booted"},
		"boot of another":     {rec(func(r *record.Record) { r.Checks[0].Digest = chartDigest }), "was never booted"},
		"a check of the site": {func(f *Facts) { f.Policy.Checks = []string{"unique PVs"} }, `the policy wants the check "unique PVs"`},
		"nobody signed":       {func(f *Facts) { f.Release.Signer = "" }, "nobody signed it"},
		"unreadable": {
			func(f *Facts) { f.Unreadable = []error{errors.New("no answer")} }, "no answer; see that it can be read",
		},
	})
}

func TestDecideRefusesByPolicy(t *testing.T) {
	two := &policy.Approvals{Count: 2, From: []policy.Approver{{Name: "ajp"}, {Name: "jane"}}}
	beamTime := policy.Window{
		Why: "beam time", Start: "2026-11-30T09:00", Zone: "UTC", For: "8h", Repeat: "FREQ=WEEKLY;BYDAY=MO",
	}
	withTwo := beamTime
	withTwo.Approvals = 2
	refuses(t, map[string]spoiled{
		"too few": {
			func(f *Facts) { f.Policy.Approvals, f.Approvals = two, []approval.Judged{by("ajp")} },
			"it has 1 of 2 approvals, from any of ajp, jane; have it approved: tagline approve bl01t 2026.11.1",
		},
		"one that does not count": {
			func(f *Facts) {
				f.Policy.Approvals = two
				f.Approvals = []approval.Judged{by("ajp"), {
					Statement: approval.Statement{Signer: "key x"}, Why: "it ended",
				}}
			},
			"of key x does not count: it ended",
		},
		"the release asks for an approval": {
			rec(func(r *record.Record) { r.Gate.Environment = "bl01t" }), "it has 0 of 1 approvals, from any of nobody",
		},
		"the release asks for somebody": {
			func(f *Facts) {
				f.Release.Record.Gate.Approvers = []string{"octocat"}
				f.Policy.Approvals, f.Approvals = two, []approval.Judged{by("ajp"), by("jane")}
			},
			"beamline.yaml asks for the approval of one of octocat",
		},
		"never ran elsewhere": {
			func(f *Facts) { f.Policy.After, f.Policy.Soak = []string{"bl09t"}, "48h" },
			"does not run healthy on bl09t",
		},
		"not long enough": {
			func(f *Facts) {
				f.Policy.After, f.Policy.Soak = []string{"bl09t"}, "48h"
				f.Healthy = map[asset.Digest]time.Time{imageDigest: now.Add(-47 * time.Hour)}
			},
			"has been healthy on bl09t for 47h0m0s of 48h; promote it after 2026-11-30 13:00 UTC",
		},
		"beam time": {
			func(f *Facts) { f.Policy.Closed = []policy.Window{beamTime} },
			"it is beam time until 2026-11-30 17:00 UTC; promote it after",
		},
		"beam time with approvals": {
			func(f *Facts) { f.Policy.Closed = []policy.Window{withTwo} }, "or have 2 approve it",
		},
		"on hold": {
			func(f *Facts) { f.Policy.Holds = []policy.Hold{{Why: "vacuum work"}} },
			"the beamline is on hold: vacuum work",
		},
	})
}

func TestDecideAllows(t *testing.T) {
	staff := &policy.Approvals{Count: 1, From: []policy.Approver{{Name: "ajp"}, {Name: "jane"}}}
	beamTime := policy.Window{Why: "beam time", Start: "2026-11-30T09:00", Zone: "UTC", For: "8h", Approvals: 2}
	for name, change := range map[string]func(*Facts){
		"unsigned where it may be": func(f *Facts) { f.Release.Signer, f.Policy.Unsigned = "", "a test" },
		"approved, beside one that does not count": func(f *Facts) {
			f.Policy.Approvals, f.Approvals = staff, []approval.Judged{{Why: "it ended"}, by("ajp")}
		},
		"approved by the one that the release asks for": func(f *Facts) {
			f.Release.Record.Gate.Approvers = []string{"Jane"}
			f.Policy.Approvals, f.Approvals = staff, []approval.Judged{by("jane")}
		},
		"soaked": func(f *Facts) {
			f.Policy.After, f.Policy.Soak = []string{"bl09t"}, "48h"
			f.Healthy = map[asset.Digest]time.Time{imageDigest: now.Add(-48 * time.Hour)}
		},
		"in beam time, by two": func(f *Facts) {
			f.Policy.Approvals, f.Policy.Closed = staff, []policy.Window{beamTime}
			f.Approvals = []approval.Judged{by("ajp"), by("jane")}
		},
		"after a hold": func(f *Facts) { f.Policy.Holds = []policy.Hold{{Why: "x", Until: "2026-11-30T11:00:00Z"}} },
	} {
		f := good()
		change(&f)
		_, err := Decide(f).Pass()
		require.NoError(t, err, name)
	}
}

// TestOverride: an override sets aside approvals, soak, closed times and holds,
// and nothing else, when it is by one whom the policy names.
func TestOverride(t *testing.T) {
	overridden := func() Facts {
		f := good()
		f.Policy.Override = []string{"ajp"}
		f.Policy.Holds = []policy.Hold{{Why: "vacuum work"}}
		f.Policy.Approvals = &policy.Approvals{Count: 1, From: []policy.Approver{{Name: "ajp"}, {Name: "jane"}}}
		f.Approvals = []approval.Judged{{
			Statement: approval.Statement{Approval: approval.Approval{Override: "the shutter is stuck"}}, By: "ajp",
			Good: true,
		}}
		return f
	}
	v := Decide(overridden())
	pass, err := v.Pass()
	require.NoError(t, err)
	require.Equal(t, "ajp: the shutter is stuck", pass.Override())
	require.Empty(t, pass.Approvals(), "an override approves nothing")
	require.True(t, v.Open)

	for name, change := range map[string]func(*Facts){
		"by another":          func(f *Facts) { f.Approvals[0].By = "jane" },
		"that does not count": func(f *Facts) { f.Approvals[0].Good = false },
		"of a failed check":   func(f *Facts) { f.Release.Record.Checks[0].Passed = false },
		"of the signature":    func(f *Facts) { f.Release.Signer = "" },
		"of what is unknown":  func(f *Facts) { f.Unreadable = []error{errors.New("x")} },
	} {
		f := overridden()
		change(&f)
		_, err := Decide(f).Pass()
		require.Error(t, err, name)
	}
}
