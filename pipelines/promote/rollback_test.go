package promote

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func ledgerOf(versions ...string) *ledger.Ledger {
	l := &ledger.Ledger{}
	for _, v := range versions {
		l.Releases = append(
			l.Releases,
			ledger.Release{
				Record: record.Record{Asset: "bl01t", Version: assettest.Version(v)},
				Digest: asset.Digest("sha256:" + v),
			},
		)
	}
	return l
}

func TestPick(t *testing.T) {
	for name, c := range map[string]struct {
		ledger  *ledger.Ledger
		version string
		want    int
		says    string
	}{
		"the former one":    {ledger: ledgerOf("2.0", "1.0"), want: 1},
		"a named one":       {ledger: ledgerOf("3.0", "2.0", "1.0"), version: "1.0", want: 2},
		"the one that runs": {ledger: ledgerOf("3.0", "2.0"), version: "3.0", want: 0},
		"nothing ran":       {ledger: ledgerOf(), says: "nothing was ever promoted there"},
		"no former one": {
			ledger: ledgerOf("1.0"), says: "there is no former release: none that ran before 1.0 is remembered there",
		},
		"one that did not run": {
			ledger: ledgerOf("3.0", "2.0"), version: "9.0",
			says: "it is not among the releases that are remembered there: 3.0, 2.0; name one of these, or promote it: tagline promote bl01t 9.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := pick("bl01t", c.ledger, c.version)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.Equal(t, diag.Refused, diag.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, i)
		})
	}
}

// A hold names the release that a rollback leaves, and a rollback that leaves none is no
// reason to hold the next promotion.
func TestTheHoldAfterARollback(t *testing.T) {
	held := &ledger.Note{By: "somebody", Reason: "rolled back from 9.0"}
	for name, c := range map[string]struct {
		killed, to, want string // want is the reason; empty for no hold
		hold             *ledger.Note
	}{
		"to the former one":                     {to: "2.0", want: "rolled back from 3.0"},
		"to the former one, held":               {to: "2.0", hold: held, want: "rolled back from 3.0"},
		"to the one that runs":                  {to: "3.0"},
		"to the one that runs, held":            {to: "3.0", hold: held, want: "rolled back from 9.0"},
		"to the one before a killed one":        {killed: "4.0", to: "3.0", want: "rolled back from 4.0"},
		"to one older than before a killed one": {killed: "4.0", to: "2.0", want: "rolled back from 4.0"},
		"to where a killed one was going":       {killed: "2.0", to: "2.0", want: "rolled back from 3.0"},
		"to what runs, promoted again":          {killed: "3.0", to: "3.0", hold: held, want: "rolled back from 9.0"},
	} {
		t.Run(name, func(t *testing.T) {
			past := ledgerOf("3.0", "2.0")
			past.Hold = c.hold
			if c.killed != "" {
				past.Underway = &ledger.Underway{Version: assettest.Version(c.killed)}
			}
			i, err := pick("bl01t", past, c.to)
			require.NoError(t, err)
			got := Deps{Holder: "me"}.holdAfter(past, past.Releases[i])
			if c.want == "" {
				require.Nil(t, got)
				return
			}
			require.Equal(t, c.want, got.Reason)
		})
	}
}

// A failure is one sentence and then what was seen, and decides its own kind.
func TestFailure(t *testing.T) {
	m := &move{doing: "promoting", to: ledger.Release{
		Record: record.Record{Asset: "bl01t", Version: assettest.Version("2.0")},
	}}
	cause := errors.Join(
		&pods.Trouble{
			Instance: "a",
			Err:      errors.New("not ready: ended 3 times"),
			Log:      []string{"st.cmd line 4: no such file"},
		},
		&diag.Error{Kind: diag.Refused, Err: errors.New("b: quota")},
	)
	err := m.failure(diag.Undone, cause, "the beamline is back on 1")
	require.Equal(
		t,
		"promoting bl01t 2.0: a: not ready: ended 3 times, b: quota; the beamline is back on 1\n"+
			"  last log lines of a:\n    st.cmd line 4: no such file",
		err.Error(),
	)
	require.Equal(t, 4, diag.ExitStatus(err))
	require.Len(t, diag.All(err), 1)
}

func TestDid(t *testing.T) {
	one, two := pods.State{Pod: "x", UID: "1"}, pods.State{Pod: "y", UID: "2"}
	require.Equal(t, Started, did(pods.State{}, one))
	require.Equal(t, Restarted, did(one, two))
	require.Equal(t, Unchanged, did(one, one))
}

func TestRunRefusesAnEmptyPass(t *testing.T) {
	_, err := Run(t.Context(), Deps{}, gate.Pass{})
	require.ErrorContains(t, err, "holds no release")
}

func TestUnreadyIsOfBeforeTheFirstTry(t *testing.T) {
	ready := pods.State{Pod: "x", Ready: true}
	m := &move{ledger: &ledger.Ledger{}, before: map[string]pods.State{"a": ready, "b": {Pod: "y"}}}
	former := map[string]int{"a": 1, "b": 1, "new": 0}
	require.Equal(t, []string{"b", "new"}, m.unready(former))
	m.ledger.Underway = &ledger.Underway{Former: map[string]int{"a": 1, "b": 1}, Unready: []string{"a"}}
	require.Equal(t, []string{"a", "new"}, m.unready(former))
}
