package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/channelaccess"
	"github.com/tagline-ci/tagline/pipelines/pvs"
)

// iocAsked stands in for an IOC: it notes what it is asked.
type iocAsked struct {
	mu     sync.Mutex
	server netip.AddrPort
	times  int
	pvs    []string // the last time
	says   func(pv string) channelaccess.Answer
	err    error
}

func (i *iocAsked) read(_ context.Context, server netip.AddrPort, all []string) ([]channelaccess.Answer, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.server, i.pvs = server, all
	i.times++
	var answers []channelaccess.Answer
	for _, pv := range all {
		answers = append(answers, i.says(pv))
	}
	return answers, i.err
}

func (i *iocAsked) seen() (times int, all []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.times, slices.Clone(i.pvs)
}

// inAlarm answers with the state of a valve that is open, though it should not be.
func inAlarm(pv string) channelaccess.Answer {
	return channelaccess.Answer{PV: pv, Value: "<b>Open", Severity: "MAJOR", Alarm: "STATE", Time: started}
}

// withPVs serves a beamline whose IOC a has so many PVs, and whose IOC b has one.
func withPVs(t *testing.T, count int) (address string, board *Board, l *line, ioc *iocAsked) {
	t.Helper()
	l = newLine(t, "bl01t", "a", "b")
	all := []pvs.PV{{Instance: "b", Name: "B:X", Type: "ai"}}
	for i := range count {
		all = append(all, pvs.PV{Instance: "a", Name: fmt.Sprintf("A:%03d", i), Type: "bi"})
	}
	savePVs(t, l, all...)
	l.change("a", func(p *corev1.Pod) { p.Status.PodIP = "192.168.1.7" })
	address, board = serve(t, l)
	ioc = &iocAsked{says: inAlarm}
	board.asker.read, board.asker.every = ioc.read, 0
	until(t, board, "", "it is read", settled(1))
	return address, board, l, ioc
}

// change changes the pod of an IOC.
func (l *line) change(name string, change func(*corev1.Pod)) {
	l.t.Helper()
	all := l.client.CoreV1().Pods(l.n.Name)
	p, err := all.Get(l.t.Context(), name+"-x", metav1.GetOptions{})
	require.NoError(l.t, err)
	change(p)
	_, err = all.Update(l.t.Context(), p, metav1.UpdateOptions{})
	require.NoError(l.t, err)
}

// shownPVs returns what an address of the page says of an IOC's PVs, as JSON.
func shownPVs(t *testing.T, address string) *PVs {
	t.Helper()
	code, _, body := get(t, address+"&format=json")
	require.Equal(t, http.StatusOK, code, body)
	var detail struct{ PVs *PVs }
	require.NoError(t, json.Unmarshal([]byte(body), &detail))
	return detail.PVs
}

func TestPVsAreReadWhereSomebodyAsks(t *testing.T) {
	address, _, _, ioc := withPVs(t, 3)
	page := address + iocPath("site", "bl01t", "a")
	_, _, body := get(t, page)
	require.Contains(t, body, `<a id="read-pvs" href="?pvs=now#its-pvs">Read its PVs now</a>`)
	require.Nil(t, shownPVs(t, page+"?"))
	times, _ := ioc.seen()
	require.Zero(t, times, "nobody asked")

	_, _, body = get(t, page+"?pvs=now")
	for _, want := range []string{
		`<th scope="row">A:000</th><td>bi</td><td>&lt;b&gt;Open</td>`,
		`<span class="state is-major"><span aria-hidden="true">✖</span> MAJOR</span>`, "<td>STATE</td>",
		"PVs 1 to 3 of 3, read at <time", "from 192.168.1.7:5064",
	} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "<b>Open")
	shown := shownPVs(t, page+"?pvs=now")
	require.Equal(t, Value{
		Name: "A:000", Type: "bi", Value: "<b>Open", Severity: "MAJOR", Alarm: "STATE", Time: started.UTC(),
	}, shown.Values[0])
	require.Equal(t, []int{3, 3, 1, 1}, []int{shown.Of, shown.Found, shown.Page, shown.Pages})
	require.Equal(t, "192.168.1.7:5064", shown.Server)
	require.Empty(t, shown.Failed)
	require.Empty(t, shown.Command)
	_, all := ioc.seen()
	require.Equal(t, []string{"A:000", "A:001", "A:002"}, all, "and not those of the other IOC")
	require.Equal(t, "192.168.1.7:5064", ioc.server.String())
}

// An IOC is asked for so many PVs at once, and never for a name that its release's tests
// did not see.
func TestPVsAreBounded(t *testing.T) {
	address, _, _, ioc := withPVs(t, 2*pvsAtOnce+7)
	page := address + iocPath("site", "bl01t", "a") + "?pvs=now"
	for query, want := range map[string]struct {
		first, last        string
		found, page, pages int
	}{
		"":                     {"A:000", "A:049", 107, 1, 3},
		"&page=2":              {"A:050", "A:099", 107, 2, 3},
		"&page=3":              {"A:100", "A:106", 107, 3, 3},
		"&page=9999":           {"A:100", "A:106", 107, 3, 3},
		"&pv=A:00.":            {"A:000", "A:009", 10, 1, 1},
		"&pv=A:(001|B:X)|B:.*": {"A:001", "A:001", 1, 1, 1},
	} {
		shown := shownPVs(t, page+query)
		_, all := ioc.seen()
		require.Equal(t, []string{want.first, want.last}, []string{all[0], all[len(all)-1]}, query)
		require.Equal(t, []int{107, want.found, want.page, want.pages}, []int{
			shown.Of, shown.Found, shown.Page, shown.Pages,
		}, query)
		require.Len(t, shown.Values, len(all))
	}
	before, _ := ioc.seen()
	for _, name := range []string{"B:X", "A:0000", "A:000.VAL", "00."} {
		shown := shownPVs(t, page+"&pv="+name)
		require.Empty(t, shown.Values, name)
		require.Empty(t, shown.Failed, name)
	}
	after, _ := ioc.seen()
	require.Equal(t, before, after, "nothing was asked")
	_, _, body := get(t, page+"&pv=00.")
	require.Contains(t, body, "None of its 107 PVs has such a name.")
	_, _, body = get(t, page+"&page=2&pv=A:.*")
	require.Contains(t, body, `href="?pv=A%3A.%2A&amp;pvs=now#its-pvs">The PVs before</a>`)
	require.Contains(t, body, `href="?page=3&amp;pv=A%3A.%2A&amp;pvs=now#its-pvs">The next PVs</a>`)
	for _, query := range []string{"?pvs=later", "?pvs=now&pv=(", "?pvs=now&page=0", "?pvs=now&page=x"} {
		code, _, said := get(t, address+iocPath("site", "bl01t", "a")+query)
		require.Equal(t, http.StatusBadRequest, code, query)
		require.Contains(t, said, "reading the page's address: ", query)
	}
}

// What can't be read is said in words, with the command that asks where the IOC runs.
func TestPVsThatAreNotRead(t *testing.T) {
	refused := errors.New("dial tcp 192.168.1.7:5064: connect: connection refused")
	for name, c := range map[string]struct {
		change  func(*line, *iocAsked)
		want    string
		unasked bool
	}{
		"it waits to be started again": {func(l *line, _ *iocAsked) { l.die("a", 4) },
			"It does not run: ended 4 times, last with exit status 139.", true},
		"its pod has no address": {func(l *line, _ *iocAsked) {
			l.change("a", func(p *corev1.Pod) { p.Status.PodIP = "" })
		}, "It is not known where it is: its pod has no address yet.", true},
		"it is stopped": {func(l *line, _ *iocAsked) {
			deployments := l.client.AppsV1().Deployments(l.n.Name)
			d, err := deployments.Get(l.t.Context(), "a", metav1.GetOptions{})
			require.NoError(l.t, err)
			d.Spec.Replicas = new(int32)
			_, err = deployments.Update(l.t.Context(), d, metav1.UpdateOptions{})
			require.NoError(l.t, err)
		}, "It does not run: stopped: scaled to 0.", true},
		"nobody answers": {func(_ *line, i *iocAsked) { i.err = refused },
			"192.168.1.7:5064 does not answer over Channel Access: dial tcp 192.168.1.7:5064: connect: connection " +
				"refused. It may hang, serve pvAccess alone, or not be reachable from where this page runs.", false},
		"it serves pvAccess": {func(l *line, i *iocAsked) {
			i.err = refused
			l.change("a", func(p *corev1.Pod) {
				p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "IOC_RUN_PROTOCOL", Value: "pva"}}
			})
		}, "It is asked over pvAccess, which this page does not speak", false},
		"another IOC answers": {func(_ *line, i *iocAsked) {
			i.says = func(pv string) channelaccess.Answer {
				return channelaccess.Answer{PV: pv, Err: channelaccess.ErrNotServed}
			}
		}, "192.168.1.7:5064 serves none of them: another IOC of the node may answer there.", false},
	} {
		t.Run(name, func(t *testing.T) {
			address, _, l, ioc := withPVs(t, 2)
			c.change(l, ioc)
			page := address + iocPath("site", "bl01t", "a") + "?pvs=now"
			shown := shownPVs(t, page)
			require.Contains(t, shown.Failed, c.want)
			require.Equal(t, "tagline find A:000 A:001 --context site", shown.Command)
			require.Len(t, shown.Values, 2, "which PVs it has is known")
			times, _ := ioc.seen()
			require.Equal(t, c.unasked, times == 0)
			_, _, body := get(t, page)
			require.Contains(t, body, "<code>tagline find A:000 A:001 --context site</code>")
		})
	}
	address, _, l, _ := withPVs(t, 0)
	_, _, body := get(t, address+iocPath("site", "bl01t", "a")+"?pvs=now")
	require.Contains(t, body, "The tests of its release saw no PVs.")
	l.down.Store(true)
	shown := shownPVs(t, address+iocPath("site", "bl01t", "b")+"?pvs=now")
	require.Contains(t, shown.Failed, "no route to host")
}

// One PV that can't be read does not hide the others.
func TestOnePVThatIsNotRead(t *testing.T) {
	address, _, _, ioc := withPVs(t, 2)
	ioc.says = func(pv string) channelaccess.Answer {
		if pv == "A:000" {
			return channelaccess.Answer{PV: pv, Err: channelaccess.ErrNotServed}
		}
		return channelaccess.Answer{PV: pv, Value: "1.5", Severity: "INVALID", Alarm: "UDF"}
	}
	_, _, body := get(t, address+iocPath("site", "bl01t", "a")+"?pvs=now")
	require.Contains(t, body, `<td colspan="4">not read: no such PV is served there</td>`)
	require.Contains(t, body, "<td>1.5</td>")
	require.Contains(t, body, "<td>UDF</td><td>never processed</td>")
	require.NotContains(t, body, "tagline find")
}

// The page asks again while that view is open, and not otherwise; it is accessible,
// and works without JavaScript.
func TestBrowserReadsPVs(t *testing.T) {
	address, _, _, ioc := withPVs(t, pvsAtOnce+1)
	b := browse(t)
	b.hurry()
	b.open(address + iocPath("site", "bl01t", "a"))
	see[bool](b, `window.loads = 0; const was = window.fetch;
		window.fetch = (...a) => { loads++; return was(...a); }; true`)
	b.until(`window.loads > 2`)
	times, _ := ioc.seen()
	require.Zero(t, times, "it loaded itself anew, and nobody asked for PVs")
	b.do(chromedp.Click("#read-pvs"))
	b.until(`document.querySelectorAll("#pvs tbody tr").length === 50`)
	read := `document.querySelector("#pvs caption time").dateTime`
	first := see[string](b, read)
	b.do(chromedp.Focus("#pvs-after"))
	b.until(read + ` !== "` + first + `"`)
	require.Equal(t, "pvs-after", see[string](b, `document.activeElement.id`))
	for _, scheme := range []string{"light", "dark"} {
		b.prefers(scheme)
		require.Empty(t, b.faults(), scheme)
	}

	_, err := chromedp.Call(
		b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true},
	)
	require.NoError(t, err)
	b.open(address + iocPath("site", "bl01t", "a"))
	b.do(chromedp.Click("#read-pvs"))
	b.until(`document.querySelectorAll("#pvs tbody tr").length === 50`)
	b.do(chromedp.Click("#pvs-after"))
	b.until(`document.querySelectorAll("#pvs tbody tr").length === 1`)
	b.do(chromedp.SendKeys(`input[name=pv]`, "A:00[12]"), chromedp.Click("form button"))
	b.until(`location.search.includes("pvs=now") && document.querySelectorAll("#pvs tbody tr").length === 2`)
	b.do(chromedp.Click("#hide-pvs"))
	b.until(`!document.getElementById("pvs") && document.getElementById("read-pvs")`)
}

// The rows of a failure are no fault of the page either.
func TestBrowserShowsPVsThatAreNotRead(t *testing.T) {
	address, _, _, ioc := withPVs(t, 3)
	ioc.err = errors.New("connection refused")
	b := browse(t)
	b.do(chromedp.EmulateViewport(400, 800))
	b.open(address + iocPath("site", "bl01t", "a") + "?pvs=now")
	require.Empty(t, b.faults())
	require.Contains(t, see[string](b, `document.getElementById("pvs").textContent`), "tagline find")
}
