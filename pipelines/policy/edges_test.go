package policy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

const someReason = "unsigned: a test beamline\n"

// An issuer is of an identity: that of GitHub Actions where a signer names none, and a key
// has none, nor a trusted root.
func TestTheIssuerOfASigner(t *testing.T) {
	key := indented(t)
	p, err := Read("policy.yaml", []byte("signers:\n  - key: "+key+"  - identity: https://x/release.yml\n"+
		"  - {identity: https://x/other.yml, issuer: https://accounts.google.com}\n"))
	require.NoError(t, err)
	require.Equal(
		t, []string{"", Actions, "https://accounts.google.com"},
		[]string{p.Signers[0].Issuer, p.Signers[1].Issuer, p.Signers[2].Issuer},
	)
	fault{
		"signers:\n  - trustedRoot: \"{}\"\n    key: " + key,
		"only an identity has an issuer and a trusted root; remove issuer and trustedRoot, or give identity",
	}.check(t)
}

// Whoever took the last asset from a signer has not meant all of them.
func TestAListOfNoAssetsIsNotAll(t *testing.T) {
	fault{"signers: [{identity: x, assets: []}]\n", ":1: signers.assets: the list is empty; add one at least"}.check(t)
}

// As many approvals may be wanted as there are approvers, and no more.
func TestAllMayHaveToApprove(t *testing.T) {
	const from = ", from: [{name: a, identity: x, issuer: i}, {name: b, identity: y, issuer: i}]}\n"
	p, err := Read("policy.yaml", []byte(someReason+"approvals: {count: 2"+from))
	require.NoError(t, err)
	require.Equal(t, 2, p.Approvals.Count)
	fault{
		someReason + "approvals: {count: 3" + from, ":2: 3 of 2 can never approve; name more, or ask for fewer",
	}.check(t)
}

// A window that lacks a part has that fault alone: what is missing is in no zone.
func TestAWindowWithoutAPart(t *testing.T) {
	for missing, text := range map[string]string{
		"zone":  "closed: [{why: x, start: 2026-11-30T09:00, for: 1h}]\n",
		"for":   "closed: [{why: x, start: 2026-11-30T09:00, zone: Europe/Londn}]\n",
		"start": "closed: [{why: x, zone: Europe/Londn, for: 1h}]\n",
	} {
		_, err := Read("policy.yaml", []byte(someReason+text))
		all := diag.All(err)
		require.Len(t, all, 1, "%v", err)
		require.ErrorContains(t, all[0], missing)
	}
}

// Every other day at ten is a rule, at whatever hour it is counted from; only hours are
// looked for one by one.
func TestARuleOfDaysMayBeOfAnyHour(t *testing.T) {
	for repeat, good := range map[string]bool{
		"FREQ=DAILY;INTERVAL=2;BYHOUR=10": true, "FREQ=WEEKLY;INTERVAL=2;BYHOUR=10": true,
		"FREQ=HOURLY;INTERVAL=2;BYHOUR=11": true, "FREQ=HOURLY;INTERVAL=2;BYHOUR=10": false,
	} {
		w := Window{Why: "x", Start: "2026-11-30T09:00", Zone: "UTC", For: "1h", Repeat: repeat}
		require.Equal(t, good, w.check() == nil, "%s: %v", repeat, w.check())
	}
}

// A first policy says whose it is; one that names somebody or accepts something is not empty.
func TestWhatAFirstPolicySays(t *testing.T) {
	_, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	text, err := Template{Keys: []string{string(public)}}.Text("bl01t")
	require.NoError(t, err)
	require.Regexp(t, "^# The policy of beamline bl01t: what must be true before a release is promoted to it.\n", text)
	require.NotContains(t, text, "approvals")
	require.NotContains(t, text, "unsigned")
	for _, some := range []Template{
		{Keys: []string{"k"}}, {Identities: []string{"i"}}, {Approvers: []Approver{{Name: "a"}}}, {Unsigned: "why"},
	} {
		require.False(t, some.Empty(), "%+v", some)
	}
	_, err = Template{Unsigned: "short"}.Text("bl01t")
	require.Equal(t, diag.Invalid, diag.KindOf(err), "a reason is more than a word")
}
