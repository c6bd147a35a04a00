package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// What is against a promotion stands first; what an override set aside is said.
func TestWriteVerdict(t *testing.T) {
	v := &gate.Verdict{
		Beamline: "bl01t", Version: assettest.Version("2026.11.2"),
		Record: asset.Digest("sha256:" + strings.Repeat("ab", 32)), Policy: "sha256:" + strings.Repeat("cd", 32),
		Reasons: []gate.Reason{
			{Rule: gate.Kind, OK: true, Why: "it is the release of bl01t"},
			{Rule: gate.NotOnHold, Why: "the beamline is on hold: vacuum work", Overridden: true},
			{Rule: gate.Tests, Why: "bl01t-a was never booted"},
		},
	}
	var b bytes.Buffer
	require.NoError(t, writeVerdict(&b, v))
	require.Equal(t, `bl01t 2026.11.2 may not be promoted
  record sha256:abababababab, policy sha256:cdcdcdcdcdcd
  against     tests  bl01t-a was never booted
  for         kind   it is the release of bl01t
  overridden  holds  the beamline is on hold: vacuum work
`, b.String())
	b.Reset()
	v.Open, v.Reasons, v.Override = true, v.Reasons[1:2], "ajp: the shutter is stuck"
	require.NoError(t, writeVerdict(&b, v))
	require.Contains(t, b.String(), "bl01t 2026.11.2 may be promoted\n")
	require.Regexp(t, `(?m)^  override +ajp: the shutter is stuck$`, b.String())
}

// Reviews are asked for by a run of GitHub alone, where the policy takes them from there,
// with a token.
func TestWhoAsksForReviews(t *testing.T) {
	from := &policy.Policy{Approvals: &policy.Approvals{GitHub: &policy.GitHub{Repository: "some-org/site"}}}
	for _, c := range []struct {
		p          *policy.Policy
		run, token string
		asks       bool
		says       string
	}{
		{p: from, run: "17", token: "t", asks: true},
		{p: from, run: "17", says: "give a token of it in GITHUB_TOKEN"},
		{p: from, token: "t"},
		{p: from, run: "a person", token: "t"},
		{p: &policy.Policy{Approvals: &policy.Approvals{}}, run: "17"},
		{p: &policy.Policy{}, run: "17"},
	} {
		env := map[string]string{"GITHUB_RUN_ID": c.run, "GITHUB_TOKEN": c.token}
		a := &app{env: func(name string) string { return env[name] }}
		reviews, err := a.reviews(c.p, "bl01t")
		require.Equal(t, c.asks, reviews != nil, c)
		if c.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.says)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

// The lock of a beamline names who holds it as others know that: a run of GitHub by its
// number.
func TestTheHolderIsNamed(t *testing.T) {
	env := map[string]string{}
	a := &app{env: func(name string) string { return env[name] }}
	require.Regexp(t, `^\S+ on \S+, process [0-9]+$`, a.holder())
	env["GITHUB_RUN_ID"] = "17"
	require.Regexp(t, `^GitHub run 17 on \S+, process [0-9]+$`, a.holder())
}
