package gate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// ran promotes a release of bl01t, as far as the gate knows of that.
func (w *world) ran() Former {
	w.Helper()
	digest := w.release("1.0.0", &w.maker, nil)
	w.approve(w.ajp, digest, nil)
	verdict, err := w.ask("1.0.0")
	require.NoError(w, err)
	pass, err := verdict.Pass()
	require.NoError(w, err)
	require.Equal(w, []string{"ajp"}, pass.Approvals())
	require.Len(w, pass.Signatures(), 2, "the record's, and that of the image it runs")
	return Former{Version: parse("1.0.0"), Record: digest, Signatures: pass.Signatures()}
}

// mayReturn is the error of going back to a release, under the policy as it is now.
func (w *world) mayReturn(to Former) error {
	w.Helper()
	verdict, err := w.inquiry().Return(w.Context(), to)
	require.NoError(w, err)
	_, err = verdict.Pass()
	return err
}

const (
	beamTime = "closed:\n  - {why: beam time, start: 2026-11-30T09:00, zone: UTC, for: 8h}\n"
	withOne  = "closed:\n  - {why: beam time, start: 2026-11-30T09:00, zone: UTC, for: 8h, approvals: 1}\n"
	vacuum   = "holds:\n  - {why: vacuum work}\n"
)

// What was approved once needs no new approval, also when its approval was of
// another policy; and neither does it need the registry.
func TestGoingBackNeedsNoNewApproval(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += "# another policy\n"
	w.reg = nil
	require.NoError(t, w.mayReturn(to))
}

// What is watched afterwards is what the policy says now.
func TestGoingBackIsWatched(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += "verify:\n  for: 2m\n"
	verdict, err := w.inquiry().Return(t.Context(), to)
	require.NoError(t, err)
	pass, err := verdict.Pass()
	require.NoError(t, err)
	require.Equal(t, &policy.Verify{For: "2m"}, pass.Verify())
}

func TestGoingBackIsRefused(t *testing.T) {
	for says, change := range map[string]func(w *world, to *Former){
		"rolling back to bl01t 1.0.0: it is beam time until 2026-11-30 17:00 UTC": func(w *world, _ *Former) {
			w.policy += beamTime
		},
		"the beamline is on hold: vacuum work": func(w *world, _ *Former) { w.policy += vacuum },
		"1.0.0 was signed by key": func(w *world, _ *Former) { // who signed it is trusted no more
			i := strings.Index(w.policy, "approvals:")
			w.policy = "signers:\n  - key: " + indent(newPerson(w.T).public) + w.policy[i:]
		},
		"ioc-simstage/1.0.0 was signed by key": func(w *world, _ *Former) { // nor with what it runs
			w.policy = strings.Replace(w.policy, "  - key", "  - assets: [bl01t]\n    key", 1)
		},
		"its signature was never verified": func(_ *world, to *Former) { to.Signatures = nil },
	} {
		t.Run(says, func(t *testing.T) {
			w := newWorld(t)
			to := w.ran()
			change(w, &to)
			err := w.mayReturn(to)
			require.ErrorContains(t, err, says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

// A policy that asks for no signatures asks for none of what ran either.
func TestGoingBackUnsigned(t *testing.T) {
	w := newWorld(t)
	w.policy = "unsigned: a test beamline without hardware\n"
	require.NoError(t, w.mayReturn(Former{Version: parse("1.0.0"), Record: asset.Digest(recordDigest)}))
}

// What is closed opens for approvals of now, where the policy says so, and for who
// may override it.
func TestGoingBackInSpiteOfAClosedTime(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += withOne + "override: [ajp]\n"
	require.ErrorContains(
		t, w.mayReturn(to), "or have 1 approve it", "the approval that there is was under another policy",
	)
	w.approve(w.ajp, to.Record, nil)
	require.NoError(t, w.mayReturn(to))

	w.policy += vacuum
	require.ErrorContains(t, w.mayReturn(to), "vacuum work")
	w.approve(newPerson(t), to.Record, func(a *approval.Approval) { a.Override = "in a hurry" })
	require.ErrorContains(t, w.mayReturn(to), "vacuum work")
	w.approve(w.ajp, to.Record, func(a *approval.Approval) { a.Override = "the shutter is stuck" })
	require.NoError(t, w.mayReturn(to))
}

// Approvals that can't be read open nothing.
func TestGoingBackWithoutARegistry(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += withOne
	w.approve(w.ajp, to.Record, nil)
	w.reg = nil
	err := w.mayReturn(to)
	require.ErrorContains(t, err, "approvals: no registry is named")
	require.ErrorContains(t, err, "it is beam time")
}

// An override that could open nothing but a signature opens nothing.
func TestNoOverrideOfASignature(t *testing.T) {
	w := newWorld(t)
	w.policy += "override: [ajp]\n"
	to := w.ran()
	i := strings.Index(w.policy, "approvals:")
	w.policy = "signers:\n  - key: " + indent(newPerson(t).public) + w.policy[i:]
	p, err := policy.Read("policy.yaml", []byte(w.policy))
	require.NoError(t, err)
	w.approve(w.ajp, to.Record, func(a *approval.Approval) { a.Override, a.Policy = "in a hurry", p.Digest() })
	require.ErrorContains(t, w.mayReturn(to), "whom the policy trusts with it no more")
}
