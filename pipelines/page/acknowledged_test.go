package page

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// acknowledge acknowledges what a view shows of an IOC of a beamline.
func (l *line) acknowledge(v *View, ioc string, until time.Time) {
	l.t.Helper()
	require.NoError(l.t, ledger.Acknowledge(l.t.Context(), l.n, func(all map[string]ledger.Acknowledgement) {
		for _, line := range v.Beamlines {
			for _, i := range line.Instances {
				if trouble, wrong := i.Trouble(v.Time); wrong && line.Beamline == l.n.Beamline && i.Name == ioc {
					all[ioc] = ledger.Acknowledgement{
						Note: ledger.Note{By: "ada", Reason: "cable is ordered"}, Until: until, Trouble: trouble,
					}
				}
			}
		}
		require.Contains(l.t, all, ioc)
	}))
}

// known reports whether a view shows that an IOC's trouble was acknowledged.
func known(ioc string) func(*View) bool {
	return func(v *View) bool {
		for _, line := range v.Beamlines {
			for _, i := range line.Instances {
				if i.Name == ioc {
					return i.Acknowledged != nil
				}
			}
		}
		return false
	}
}

// An IOC whose trouble somebody acknowledged stays in sight with its state, below those
// of which nobody knows and above those that are well.
func TestAnAcknowledgedTroubleIsInSight(t *testing.T) {
	address, board, first, second := two(t)
	first.die("c", 2)
	v := until(t, board, "", "it died", func(v *View) bool { return v.Total[status.Failing] == 2 })
	first.acknowledge(v, "c", time.Now().Add(time.Hour))
	second.acknowledge(v, "x", time.Now().Add(time.Hour))
	until(t, board, "", "both are known", func(v *View) bool { return known("c")(v) && known("x")(v) })
	v = until(t, board, "", "", settled(2))
	require.Equal(t, []string{
		"bl01t not ready", "  b drifted", "  c not ready", "  a well", "bl02t not ready", "  x not ready", "  a well",
	}, rows(v))
	require.Equal(t, Counts{status.Failing: 2, status.Drifted: 1, status.Well: 2}, v.Total, "none is hidden")
	require.Regexp(t, `^b: Deployment b: spec.replicas; c: ended 2 times, .*, acknowledged by ada until `,
		v.Beamlines[0].Why)
	v = until(t, board, "sort=-state", "", settled(2))
	require.Equal(t, "bl02t not ready", rows(v)[0])
	v = until(t, board, "text=acknowledged+by+ADA&state=not+ready", "", settled(2))
	require.Equal(t, []string{"bl01t not ready", "  c not ready", "bl02t not ready", "  x not ready"}, rows(v))

	_, _, body := get(t, address+"/?beamline=bl02t")
	require.Regexp(t, `<span aria-hidden="true">✖</span> not ready</span> acknowledged, 1 of 2 ready`, body)
	require.Contains(t, body, `not ready</span> acknowledged</td>`)
	require.Regexp(t, `<div>acknowledged by ada until .*: cable is ordered</div>`, body)
	_, _, body = get(t, address+"/?beamline=bl01t")
	require.NotContains(t, body, "acknowledged, ", "of b nobody knows")
	_, _, body = get(t, address+"/iocs/site/bl02t/x")
	require.Contains(t, body, `not ready</span> acknowledged</p>`)
	require.Regexp(t, `<dt>Note</dt><dd>acknowledged by ada until .*: cable is ordered</dd>`, body)
	require.Contains(t, body, "tagline acknowledge bl02t x --context site --withdraw --reason")
	_, _, body = get(t, address+"/iocs/site/bl01t/b")
	require.Contains(t, body, "tagline acknowledge bl01t b --context site --until 8h --reason")
	_, _, body = get(t, address+"/iocs/site/bl01t/a")
	require.NotContains(t, body, "tagline acknowledge")

	_, _, body = get(t, address+"/?beamline=bl02t&format=json")
	var got struct {
		Beamlines []struct {
			Instances []struct {
				Level        string
				Acknowledged *struct{ By, Reason string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, "not ready", got.Beamlines[0].Instances[0].Level)
	require.Equal(t, "ada", got.Beamlines[0].Instances[0].Acknowledged.By)
	require.Nil(t, got.Beamlines[0].Instances[1].Acknowledged)
	_, _, body = get(t, address+"/metrics")
	require.Contains(t, body, `tagline_ioc_acknowledged{beamline="bl02t",context="site",ioc="x",namespace="bl02t"} 1`)
	require.Contains(t, body, `tagline_ioc_up{beamline="bl02t",context="site",ioc="x",namespace="bl02t"} 0`)
}

// A page that is open is told when a trouble is acknowledged, and when a new one comes.
func TestANewTroubleIsSaid(t *testing.T) {
	address, board, _, second := two(t)
	v := until(t, board, "", "", settled(2))
	messages := listen(t, address+"/")
	whole := <-messages
	second.acknowledge(v, "x", time.Now().Add(time.Hour))
	c := <-messages
	require.Equal(t, []string{whole.Order[0]}, keysOf(c.Changed))
	require.Regexp(t, `^bl02t is not ready: x: ended 3 times, .*, acknowledged by ada until `, c.Said)
	require.Equal(t, []string{whole.Order[1], whole.Order[0]}, c.Order)
	second.die("x", 4)
	c = <-messages
	require.Equal(t, "bl02t is not ready: x: ended 4 times, last with exit status 139", c.Said)
	require.Equal(t, whole.Order, c.Order)
}

// The time alone ends an acknowledgement, though nothing in the cluster changes, nor the
// beamline's place on the page.
func TestTheTimeEndsAnAcknowledgement(t *testing.T) {
	_, board, _, second := two(t)
	second.die("a", 2)
	v := until(t, board, "", "it died", func(v *View) bool { return v.Total[status.Failing] == 2 })
	end := time.Now().Add(time.Hour)
	second.acknowledge(v, "x", end)
	until(t, board, "", "it is known", known("x"))
	v = board.View(t.Context(), Filter{sort: "state"}, end.Add(-time.Second))
	require.True(t, known("x")(v))
	require.Equal(t, []string{"bl02t not ready", "  a not ready", "  x not ready"}, rows(v)[:3])
	before, err := v.Beamlines[0].render(shown{})
	require.NoError(t, err)
	v = board.View(t.Context(), Filter{sort: "state"}, end)
	require.False(t, known("x")(v))
	require.Equal(t, "bl02t", v.Beamlines[0].Beamline)
	after, err := v.Beamlines[0].render(before)
	require.NoError(t, err)
	require.NotEqual(t, before.html, after.html)
}
