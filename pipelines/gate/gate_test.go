package gate

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

const (
	imageDigest  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	recordDigest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// good is a record that nothing speaks against.
func good() *record.Record {
	return &record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("2026.11.1"), Tag: assettest.Tag("bl01t/2026.11.1"), Namespace: "bl01t",
		Instances: []record.Instance{
			{
				Name:  "bl01t-mo-ioc-01",
				Chart: "127.0.0.1:5000/charts/bl01t-mo-ioc-01@sha256:3333333333333333333333333333333333333333333333333333333333333333",
				Image: "127.0.0.1:5000/ioc-simstage-runtime@" + imageDigest,
			},
		},
		Checks: []record.Test{{Name: "boot", Of: "bl01t-mo-ioc-01", Digest: imageDigest, Passed: true}},
	}
}

func TestCheckLetsATestedReleaseThrough(t *testing.T) {
	rec := good()
	pass, err := Check(rec, recordDigest, nil)
	require.NoError(t, err)
	require.Equal(t, rec, pass.Record())
	require.EqualValues(t, recordDigest, pass.Digest())
	require.Nil(t, Pass{}.Record())
}

func TestWhatWasCheckedCannotBeChanged(t *testing.T) {
	rec := good()
	pass, err := Check(rec, recordDigest, nil)
	require.NoError(t, err)
	rec.Instances[0].Image = "another"
	pass.Record().Instances[0].Image = "another"
	require.Equal(t, good(), pass.Record())
}

func TestCheckRefuses(t *testing.T) {
	asks := func(p record.Policy) func(*record.Record) { return func(r *record.Record) { r.Gate = p } }
	team := record.Policy{Approvers: []string{"ajp", "controls-team"}}
	for name, c := range map[string]struct {
		change   func(*record.Record)
		approval *Approval
		digest   *asset.Digest
		says     string
	}{
		"an image":       {change: func(r *record.Record) { r.Kind = asset.Image }, says: `kind "image"`},
		"no namespace":   {change: func(r *record.Record) { r.Namespace = "" }, says: "no namespace"},
		"no instance":    {change: func(r *record.Record) { r.Instances = nil }, says: "no IOC instance"},
		"a chart by tag": {change: func(r *record.Record) { r.Instances[0].Chart = "host/charts/x:1.0.0" }, says: `"host/charts/x:1.0.0", which is not named by digest`},
		"no check":       {change: func(r *record.Record) { r.Checks = nil }, says: "no check was ever run"},
		"a failed check": {change: func(r *record.Record) {
			r.Checks[0].Passed = false
			r.Checks[0].Faults = []string{"st.cmd:4: unknown command"}
		}, says: "st.cmd:4: unknown command"},
		"a silent failed check": {change: func(r *record.Record) { r.Checks[0].Passed = false }, says: "no reason was recorded"},
		"no boot of it":         {change: func(r *record.Record) { r.Checks[0].Of = "bl01t-mo-ioc-02" }, says: "never booted"},
		"only a smoke test":     {change: func(r *record.Record) { r.Checks[0].Name = "smoke" }, says: "never booted"},
		"boot at another image": {change: func(r *record.Record) { r.Checks[0].Digest = recordDigest }, says: "never booted"},
		"a record of no digest": {change: func(*record.Record) {}, digest: new(asset.Digest), says: "has no digest"},
		"nobody approved":       {change: asks(team), says: "nobody has approved it; have it approved by one of ajp, controls-team"},
		"an environment asks":   {change: asks(record.Policy{Environment: "bl01t"}), says: "a reviewer of the GitHub environment bl01t"},
		"a stranger approved":   {change: asks(team), approval: &Approval{By: "mallory", Of: assettest.Tag("bl01t/2026.11.1")}, says: "mallory may not approve it"},
		"nameless approval":     {change: asks(record.Policy{Environment: "bl01t"}), approval: &Approval{Of: assettest.Tag("bl01t/2026.11.1")}, says: "does not say who"},
		"approval of another":   {change: asks(team), approval: &Approval{By: "ajp", Of: assettest.Tag("bl01t/2026.11.0")}, says: "the approval is for bl01t/2026.11.0"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := good()
			c.change(rec)
			digest := asset.Digest(recordDigest)
			if c.digest != nil {
				digest = *c.digest
			}
			pass, err := Check(rec, digest, c.approval)
			require.ErrorContains(t, err, c.says)
			require.Nil(t, pass.Record())
			for _, fault := range diag.All(err) {
				var e *diag.Error
				require.True(t, errors.As(fault, &e))
				require.Equal(t, diag.Refused, e.Kind)
				require.NotEmpty(t, e.Fix)
			}
		})
	}
}

func TestCheckTakesAnApproversConsent(t *testing.T) {
	rec := good()
	rec.Gate = record.Policy{Approvers: []string{"AJP"}, Environment: "bl01t"}
	_, err := Check(rec, recordDigest, &Approval{By: "ajp", Of: rec.Tag})
	require.NoError(t, err)
}

func TestCheckGivesAllReasons(t *testing.T) {
	rec := good()
	rec.Namespace, rec.Checks, rec.Gate.Approvers = "", nil, []string{"ajp"}
	_, err := Check(rec, recordDigest, nil)
	require.Len(t, diag.All(err), 4)
}

func TestCheckWantsARecord(t *testing.T) {
	_, err := Check(nil, recordDigest, nil)
	require.Error(t, err)
}
