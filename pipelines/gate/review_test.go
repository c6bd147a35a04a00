package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// reviewed asks the gate about 1.0.0 when reviews of a run say something.
func (w *world) reviewed(reviews []approval.Judged, err error) (*Verdict, error) {
	q := w.inquiry()
	q.Reviews = func(_ context.Context, v asset.Version) ([]approval.Judged, error) {
		require.Equal(w, parse("1.0.0"), v)
		return reviews, err
	}
	return q.Ask(w.Context(), parse("1.0.0"), "")
}

func TestReviewsCount(t *testing.T) {
	w := newWorld(t)
	w.release("1.0.0", &w.maker, nil)
	bad := approval.Judged{By: "mallory", Why: "it is by who started the run"}
	verdict, err := w.reviewed([]approval.Judged{bad}, nil)
	require.NoError(t, err)
	require.False(t, verdict.Open)
	verdict, err = w.reviewed([]approval.Judged{bad, by("octocat")}, nil)
	require.NoError(t, err)
	require.True(t, verdict.Open)
}

// One who signed and reviewed has approved once.
func TestAReviewBySomebodyWhoSigned(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	w.policy += "closed:\n  - {why: beam time, start: 2026-11-30T09:00, zone: UTC, for: 8h, approvals: 2}\n"
	w.approve(w.ajp, digest, nil)
	verdict, err := w.reviewed([]approval.Judged{by("AJP")}, nil)
	require.NoError(t, err)
	_, err = verdict.Pass()
	require.ErrorContains(t, err, "AJP has approved it already")
	verdict, err = w.reviewed([]approval.Judged{by("jane")}, nil)
	require.NoError(t, err)
	require.True(t, verdict.Open)
}

// A person who is known by a key and as a user of GitHub approves once, and not what that
// key released.
func TestOnePersonWithAKeyAndOnGitHub(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	w.policy = strings.Replace(w.policy, "    - name: ajp\n", "    - name: ajp\n      github: ajp-on-github\n", 1)
	const workflow = "github: {repository: some-org/site, workflow: promote.yml}\n"
	w.policy = strings.Replace(w.policy, "count: 1", workflow+"  count: 2", 1)
	w.approve(w.ajp, digest, nil)
	for _, c := range []struct {
		by, says string
	}{
		{"ajp", "ajp has approved it already"}, // as the reader of reviews calls ajp-on-github
		{"maker", "it is by the signer of the release"},
	} {
		verdict, err := w.reviewed([]approval.Judged{by(c.by)}, nil)
		require.NoError(t, err)
		_, err = verdict.Pass()
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, "it has 1 of 2 approvals")
	}
	verdict, err := w.reviewed([]approval.Judged{by("jane")}, nil)
	require.NoError(t, err)
	require.True(t, verdict.Open)
}

// What can't be read is a refusal, with its own fix, even where enough have signed.
func TestReviewsThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	w.approve(w.ajp, digest, nil)
	verdict, err := w.reviewed(nil, &diag.Error{Kind: diag.Broken, Doing: "reading the run", Fix: "give a token"})
	require.NoError(t, err)
	_, err = verdict.Pass()
	require.ErrorContains(t, err, "promoting bl01t 1.0.0: reading the run; give a token")
	require.Equal(t, diag.Refused, diag.KindOf(err))
}
