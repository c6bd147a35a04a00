package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// two returns beamlines with one IOC of each kind of trouble, and their board.
func two(t *testing.T) (address string, board *Board, first, second *line) {
	t.Helper()
	first, second = newLine(t, "bl01t", "a", "b", "c"), newLine(t, "bl02t", "a", "x")
	first.drift = map[string][]string{"b": {"Deployment b: spec.replicas"}}
	second.die("x", 3)
	savePVs(t, first, pvs.PV{Instance: "c", Name: "BL01T:C:RBV", Type: "ai"})
	address, board = serve(t, first, second)
	until(t, board, "", "both are read", settled(2))
	return address, board, first, second
}

func TestTheWorstIsFirst(t *testing.T) {
	_, board, _, _ := two(t)
	v := until(t, board, "", "", settled(2))
	require.Equal(
		t,
		[]string{
			"bl02t not ready", "  x not ready", "  a well", "bl01t drifted", "  b drifted", "  a well", "  c well",
		},
		rows(v),
	)
	require.Equal(t, Counts{status.Failing: 1, status.Drifted: 1, status.Well: 3}, v.Total)
	worst := v.Beamlines[0]
	require.Equal(t, "x: ended 3 times, last with exit status 139", worst.Why)
	require.Equal(t, "ada on ws011", worst.By)
	require.Equal(t, []int{1, 2}, []int{worst.Ready, worst.Of})
	require.Equal(t, "exit status 139", worst.Instances[0].Ended)
}

func TestFiltersAndOrders(t *testing.T) {
	_, board, _, _ := two(t)
	for query, want := range map[string][]string{
		"beamline=bl01t":                    {"bl01t drifted", "  b drifted", "  a well", "  c well"},
		"state=not+ready&state=drifted":     {"bl02t not ready", "  x not ready", "bl01t drifted", "  b drifted"},
		"ioc=ioc-simstage&text=SPEC.":       {"bl01t drifted", "  b drifted"},
		"ioc=ioc-sim":                       nil,
		"ioc=ioc-simstage+1.0.0&node=ws012": nil,
		"version=2026.11.1":                 nil,
		"pv=BL01T:C.*":                      {"bl01t drifted", "  c well"},
		"pv=BL01T:C":                        nil,
		"sort=-name": {
			"bl02t not ready", "  x not ready", "  a well", "bl01t drifted", "  c well", "  b drifted", "  a well",
		},
		"sort=-state": {
			"bl01t drifted", "  a well", "  c well", "  b drifted", "bl02t not ready", "  a well", "  x not ready",
		},
		"beamline=&text=": {
			"bl02t not ready", "  x not ready", "  a well", "bl01t drifted", "  b drifted", "  a well", "  c well",
		},
	} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		f, err := ParseFilter(values)
		require.NoError(t, err)
		assert.Equal(t, want, rows(board.View(t.Context(), f, time.Now())), query)
	}
}

func TestAnAddressThatCannotBeReadIsRefused(t *testing.T) {
	for query, want := range map[string]string{
		"beam=bl01t": `there is no parameter "beam"`,
		"state=ill":  `"ill" is no state`,
		"sort=pod":   `nothing can be sorted by "pod"`,
		"pv=(":       "missing closing )",
	} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		_, err = ParseFilter(values)
		require.ErrorContains(t, err, want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	code, _, body := get(t, httptest.NewServer(NewServer(NewBoard(nil), anyAddress)).URL+"/?state=ill")
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, "use not read, not ready, restarted, drifted, stray pods, stopped, well")
}

func TestLinksKeepTheFilter(t *testing.T) {
	f, err := ParseFilter(url.Values{"beamline": {"bl01t"}, "sort": {"name"}, "after": {"7"}, "format": {"json"}})
	require.NoError(t, err)
	require.Equal(t, "?beamline=bl01t&sort=-name", f.Sorted("name"))
	require.Equal(t, "?beamline=bl01t&sort=node", f.Sorted("node"))
	require.Equal(t, "?beamline=bl01t&sort=name&state=well", f.Address("state", "well"))
	require.Equal(t, "ascending", f.Order("name"))
	require.Equal(t, "none", f.Order("node"))
}

func TestTheSameAsJSON(t *testing.T) {
	address, _, _, _ := two(t)
	for _, ask := range [][]string{{"/?format=json"}, {"/", "Accept", "application/json"}} {
		code, header, body := get(t, address+ask[0], ask[1:]...)
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "application/json", header.Get("Content-Type"))
		var got struct {
			Total     map[string]int
			Beamlines []struct {
				Beamline, Namespace, Level, Version string
				Instances                           []struct{ Name, Level, IOC, Digest string }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		require.Equal(t, map[string]int{"not ready": 1, "drifted": 1, "well": 3}, got.Total)
		require.Equal(t, "bl02t", got.Beamlines[0].Beamline)
		require.Equal(t, "2026.11.2", got.Beamlines[0].Version)
		require.Equal(t, "not ready", got.Beamlines[0].Instances[0].Level)
		require.Equal(t, "ioc-simstage 1.0.0", got.Beamlines[0].Instances[0].IOC)
		require.Len(t, got.Beamlines[0].Instances, 2)
	}
}

// What could not be read stays, with its age, and comes first.
func TestAClusterThatGoesAwayStays(t *testing.T) {
	began := time.Now()
	address, board, first, _ := two(t)
	first.down.Store(true)
	v := until(t, board, "", "it is noticed", func(v *View) bool { return v.Beamlines[0].Beamline == "bl01t" })
	lost := v.Beamlines[0]
	require.Equal(t, status.Unread, lost.Level)
	require.Contains(t, lost.Failed, "no route to host")
	require.Len(t, lost.Instances, 3, "what was read stays")
	require.WithinRange(t, lost.Read, began, time.Now(), "it is known when that was so")
	require.Equal(
		t, Counts{status.Unread: 3, status.Failing: 1, status.Well: 1}, v.Total, "nobody knows whether they are well",
	)
	v = until(t, board, "state=not+read", "", func(*View) bool { return true })
	require.Equal(t, []string{"bl01t not read", "  b drifted", "  a well", "  c well"}, rows(v))
	_, _, body := get(t, address+"/?text=nothing-has-this")
	require.Contains(t, body, "no route to host", "whatever is looked for may be there")
	require.Contains(t, body, "What is shown was so ")
	first.down.Store(false)
	until(t, board, "", "it is read again", settled(2))
}

// An IOC that was not ready when its node went says that the node is gone, which its pod
// does not tell, until the node is back.
func TestADeadIOCOfANodeThatIsGone(t *testing.T) {
	l := newLine(t, "bl01t", "a")
	var back atomic.Bool
	l.client.PrependReactor("get", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
		ready := corev1.ConditionUnknown
		if back.Load() {
			ready = corev1.ConditionTrue
		}
		return true, &corev1.Node{Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}},
		}}, nil
	})
	l.die("a", 4)
	_, board := serve(t, l)
	says := func(what string) func(*View) bool {
		return func(v *View) bool {
			return len(v.Beamlines) == 1 && len(v.Beamlines[0].Instances) == 1 &&
				strings.HasPrefix(v.Beamlines[0].Instances[0].Doing, what)
		}
	}
	until(t, board, "", "its node is gone", says("node ws011 is gone"))
	back.Store(true)
	until(t, board, "", "its node is back", says("ended 4 times"))
}

func TestAClusterThatNeverAnsweredIsARow(t *testing.T) {
	l, answers := newLine(t, "bl01t", "a"), true
	reach := func(context.Context) ([]ledger.Reached, error) {
		found := []ledger.Reached{{Context: "other", Err: errors.New("connection refused")}}
		if answers {
			found = append(found, ledger.Reached{Context: "site", Namespace: l.n})
		}
		return found, nil
	}
	address, board := serveReached(t, reach, l)
	until(
		t, board, "beamline=bl01t", "both are shown",
		func(v *View) bool { return len(v.Beamlines) == 2 && v.Beamlines[1].Failed == "" },
	)
	_, _, body := get(t, address)
	require.Contains(t, body, "cluster other")
	require.Contains(t, body, "It could not be read: connection refused")
}

// Beamlines come and go with what is reached; one whose cluster is silent stays.
func TestTheCrewFollowsWhatIsReached(t *testing.T) {
	one, two := newLine(t, "bl01t"), newLine(t, "bl02t")
	two.context = "other"
	b := NewBoard(nil)
	c := &crew{board: b, running: map[place]*member{}}
	c.follow = func(ctx context.Context, b *Board, at place, found ledger.Reached) {
		b.put(reading{
			place: at, context: found.Context, beamline: found.Namespace.Beamline, namespace: found.Namespace,
		})
		<-ctx.Done()
	}
	defer c.stop()
	names := func() string {
		var all []string
		readings, _, _ := b.now()
		for _, r := range readings {
			all = append(all, r.beamline+"/"+r.context)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	both := []ledger.Reached{{Context: "site", Namespace: one.n}, {Context: "other", Namespace: two.n}}
	for _, round := range []struct {
		found []ledger.Reached
		want  string
	}{
		{both, "bl01t/site bl02t/other"},
		{both, "bl01t/site bl02t/other"},
		{[]ledger.Reached{both[0], {Context: "other", Err: errors.New("silent")}}, "/other bl01t/site bl02t/other"},
		{both, "bl01t/site bl02t/other"},
		{both[1:], "bl02t/other"},
	} {
		c.set(t.Context(), round.found)
		require.Eventually(t, func() bool { return names() == round.want }, time.Minute, time.Millisecond, round.want)
	}
}

func TestAReachThatFailsAtFirstIsAnError(t *testing.T) {
	err := NewBoard(nil).Watch(
		t.Context(), func(context.Context) ([]ledger.Reached, error) { return nil, errors.New("no kubeconfig") },
	)
	require.EqualError(t, err, "no kubeconfig")
}

// listen returns the messages of a page that is open.
func listen(t *testing.T, address string) <-chan change {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	t.Cleanup(func() { answer.Body.Close() })
	messages := make(chan change, 100)
	go func() {
		lines := bufio.NewReader(answer.Body)
		for {
			text, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			if data, ok := strings.CutPrefix(text, "data: "); ok {
				var c change
				if json.Unmarshal([]byte(data), &c) == nil {
					messages <- c
				}
			}
		}
	}()
	return messages
}

// An IOC that dies is on a page that is open, and its beamline is moved up.
func TestAnUpdateArrives(t *testing.T) {
	address, _, first, _ := two(t)
	messages := listen(t, address+"/")
	whole := <-messages
	require.Len(t, whole.Changed, 2)
	began := time.Now()
	first.die("c", 4)
	c := <-messages
	t.Logf("it took %s", time.Since(began))
	require.Equal(t, []string{whole.Order[1]}, keysOf(c.Changed), "only what changed is sent")
	require.Len(t, c.Order, 2)
	require.Contains(t, c.Changed[whole.Order[1]], "ended 4 times, last with exit status 139")
	require.Equal(t, "bl01t is not ready: c: ended 4 times, last with exit status 139", c.Said)
	require.Equal(t, whole.Order[1], c.Order[0], "of two that are as bad, the first by name")
	require.Contains(t, c.Counts, "not ready</span></a> 2")
}

// Of a page that was made from what is known, nothing is sent again.
func TestNothingIsSentTwice(t *testing.T) {
	address, board, first, _ := two(t)
	v := until(t, board, "", "", settled(2))
	for _, after := range []string{
		"after=" + strconv.Itoa(v.Number), "beamline=bl01t&after=" + strconv.Itoa(v.Number),
	} {
		messages := listen(t, address+"/?"+after)
		time.Sleep(50 * time.Millisecond)
		require.Empty(t, messages)
	}
	messages := listen(t, address+"/?after="+strconv.Itoa(v.Number))
	first.die("c", 4)
	require.Len(t, (<-messages).Changed, 1)
}

func keysOf[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
