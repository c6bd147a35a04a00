package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// over is an override by somebody, and counts how often that person's key was asked for.
func over(by person, asked *int) Over {
	return Over{Reason: "the shutter is stuck", By: func(context.Context) (sign.Signer, error) {
		*asked++
		return by.key, nil
	}}
}

// attached is how many approvals and overrides the record of 1.0.0 has.
func (w *world) attached(digest asset.Digest) int {
	w.Helper()
	all, _, err := w.inquiry().attached(w.Context(), &attest.Release{Digest: digest})
	require.NoError(w, err)
	return len(all)
}

// An override is attached to the record before the release is judged, and opens the gate
// for whom the policy lets override it.
func TestAskOver(t *testing.T) {
	w := newWorld(t)
	w.policy += "override: [ajp]\n" + vacuum
	digest := w.release("1.0.0", &w.maker, nil)
	asked := 0
	verdict, err := w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", Over{})
	require.NoError(t, err)
	require.False(t, verdict.Open)
	require.Zero(t, w.attached(digest), "nothing is to be overridden")

	verdict, err = w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", over(w.maker, &asked))
	require.NoError(t, err)
	require.False(t, verdict.Open, "the policy does not let the signer override it")

	verdict, err = w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", over(w.ajp, &asked))
	require.NoError(t, err)
	pass, err := verdict.Pass()
	require.NoError(t, err)
	require.Equal(t, "ajp: the shutter is stuck", pass.Override())
	require.Equal(t, digest, pass.Digest())
	require.Equal(t, 2, asked)
	for _, j := range verdict.Approvals {
		require.True(t, now.Add(overrideFor).Equal(j.Until), "it holds for one change")
	}
}

// What is no release is not overridden, and nobody's key is asked for.
func TestNothingIsSignedForWhatIsNoRelease(t *testing.T) {
	w := newWorld(t)
	asked := 0
	_, err := w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", over(w.ajp, &asked))
	require.ErrorContains(t, err, "no such release")
	digest := w.release("1.0.0", nil, nil)
	_, err = w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", over(w.ajp, &asked))
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Zero(t, asked)
	require.Zero(t, w.attached(digest))
}

// Without a key nothing is attached, and the error says why.
func TestAnOverrideNeedsASigner(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	lost := errors.New("the key is lost")
	_, err := w.inquiry().AskOver(t.Context(), parse("1.0.0"), "", Over{
		Reason: "in a hurry", By: func(context.Context) (sign.Signer, error) { return nil, lost },
	})
	require.ErrorIs(t, err, lost)
	require.Zero(t, w.attached(digest))
}

// Going back needs an override only where the policy refuses it.
func TestReturnOver(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += "override: [ajp]\n"
	asked, had := 0, w.attached(to.Record)
	verdict, err := w.inquiry().ReturnOver(t.Context(), to, over(w.ajp, &asked))
	require.NoError(t, err)
	require.True(t, verdict.Open)
	require.Zero(t, asked, "nothing is in the way")
	require.Equal(t, had, w.attached(to.Record))

	w.policy += vacuum
	verdict, err = w.inquiry().ReturnOver(t.Context(), to, Over{})
	require.NoError(t, err)
	require.False(t, verdict.Open)
	verdict, err = w.inquiry().ReturnOver(t.Context(), to, over(w.ajp, &asked))
	require.NoError(t, err)
	require.True(t, verdict.Open)
	require.Equal(t, "ajp: the shutter is stuck", verdict.Override)
	require.Equal(t, 1, asked)
	require.Equal(t, had+1, w.attached(to.Record))
}

// Reviews are of a promotion: going back neither reads nor counts them.
func TestGoingBackReadsNoReviews(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	w.policy += withOne
	q := w.inquiry()
	q.Reviews = func(context.Context, asset.Version) ([]approval.Judged, error) {
		t.Error("the reviews were read")
		return []approval.Judged{by("octocat")}, nil
	}
	verdict, err := q.Return(t.Context(), to)
	require.NoError(t, err)
	require.False(t, verdict.Open)
}

// An approval is revoked by the beginning of its ID, where that is one approval's alone.
func TestTheApprovalThatIsRevoked(t *testing.T) {
	v := &Verdict{Beamline: "bl01t", Version: parse("1.0.0")}
	for _, id := range []string{"K7QXJ2AB", "K7QXAAAA", "B2"} {
		v.Approvals = append(v.Approvals, approval.Judged{Statement: approval.Statement{Approval: approval.Approval{
			ID: id, Until: now.Add(time.Hour),
		}}})
	}
	for begins, want := range map[string]string{"B": "B2", "K7QXJ": "K7QXJ2AB", "K7QXAAAA": "K7QXAAAA"} {
		id, err := v.approvalNamed(begins)
		require.NoError(t, err)
		require.Equal(t, want, id)
	}
	for begins, says := range map[string]string{
		"K7QX": `revoking bl01t 1.0.0: 2 of its approvals begin with "K7QX"; see tagline approvals bl01t 1.0.0`,
		"":     `3 of its approvals begin with ""`,
		"Z":    `it has no approval "Z"; see tagline approvals bl01t 1.0.0`,
		"k7qx": `it has no approval "k7qx"`,
	} {
		_, err := v.approvalNamed(begins)
		require.ErrorContains(t, err, says)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}
