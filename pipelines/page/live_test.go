package page

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/status"
)

// rowOf is the row of an IOC, in JavaScript.
func rowOf(beamline, name string) string {
	return `document.querySelector("a[href='/iocs/site/` + beamline + `/` + name + `']")?.closest("tr")`
}

// isLive holds once the page gets what changes.
const isLive = `document.getElementById("link").textContent === "Live"`

// listens notes what the page says to who cannot see it.
const listens = `window.heard = []; new MutationObserver(() => heard.push(said.textContent))
	.observe(document.getElementById("said"), {childList: true, characterData: true, subtree: true}); true`

func TestBrowserFilters(t *testing.T) {
	address, _, _, _ := two(t)
	b := browse(t)
	b.open(address)
	names := `[...document.querySelectorAll("tbody th[scope=row]")].map(th => th.textContent).join(" ")`
	require.Equal(t, "x a b a c", see[string](b, names))
	b.do(chromedp.SendKeys(`input[name=text]`, "spec."), chromedp.Click("form button"))
	b.until(`location.search.includes("text=spec.")`)
	b.until(names + ` === "b"`)
	require.Equal(t, "spec.", see[string](b, `document.querySelector("input[name=text]").value`))
	b.do(chromedp.Click("form a"))
	b.until(`location.search === "" && ` + names + ` === "x a b a c"`)
	b.do(chromedp.SetValue(`select[name=state]`, "not ready"), chromedp.Click("form button"))
	b.until(names + ` === "x"`)
	b.do(chromedp.Click("#count-is-drifted"))
	b.until(`location.search.includes("state=drifted") && ` + names + ` === "b"`)
	b.open(address + "/?beamline=bl01t")
	b.do(chromedp.Click(`thead th:first-child a`))
	b.until(`document.querySelector("thead th").ariaSort === "ascending" && ` + names + ` === "a b c"`)
	b.do(chromedp.Click(`thead th:first-child a`))
	b.until(`document.querySelector("thead th").ariaSort === "descending" && ` + names + ` === "c b a"`)
	require.Contains(t, see[string](b, `location.search`), "beamline=bl01t", "sorting keeps the filter")
}

// An IOC that dies is on a page that is open: nothing is loaded again, what has the
// focus keeps it, and it is said once.
func TestBrowserUpdates(t *testing.T) {
	address, _, first, second := two(t)
	b := browse(t)
	b.open(address)
	b.until(isLive)
	see[bool](b, listens)
	see[int](b, `window.mark = 1`)
	b.do(chromedp.Focus(`a[href="/iocs/site/bl01t/c"]`))
	first.die("c", 4)
	b.until(rowOf("bl01t", "c") + `.textContent.includes("not ready")`)
	require.Equal(t, "/iocs/site/bl01t/c", see[string](b, `document.activeElement.getAttribute("href")`))
	b.do(chromedp.Focus("#count-is-well"))
	second.die("a", 2)
	b.until(rowOf("bl02t", "a") + `.textContent.includes("not ready")`)
	require.Equal(t, "count-is-well", see[string](b, `document.activeElement.id`))
	require.Equal(t, []string{"bl01t is not ready: c: ended 4 times, last with exit status 139"},
		see[[]string](b, `heard`), "of a beamline that was not ready before, nothing is said")
	require.Equal(t, 1, see[int](b, `window.mark`), "it is the same page")
}

// The page of one IOC follows too.
func TestBrowserUpdatesOfAnIOC(t *testing.T) {
	address, _, first, _ := two(t)
	b := browse(t)
	b.hurry()
	b.open(address + iocPath("site", "bl01t", "c"))
	see[bool](b, listens)
	b.do(chromedp.Focus("#beamline"))
	first.die("c", 4)
	b.until(`document.getElementById("facts").textContent.includes("ended 4 times")`)
	require.Equal(t, "beamline", see[string](b, `document.activeElement.id`))
	require.Equal(t, []string{"c is not ready"}, see[[]string](b, `heard`))
}

// What was read of a cluster that went away stays, with its age and the reason.
func TestBrowserShowsAClusterThatGoesAway(t *testing.T) {
	address, _, first, _ := two(t)
	b := browse(t)
	b.open(address)
	b.until(isLive)
	first.down.Store(true)
	body := `document.querySelector("tbody")`
	b.until(body + `.textContent.includes("no route to host")`)
	text := see[string](b, body+`.innerText`)
	require.Regexp(t, `bl01t\s+\? not read`, text, "it comes first")
	require.Regexp(t, `What is shown was so \d+s ago, at 20\d\d-`, text)
	require.Equal(t, 3, see[int](b, body+`.querySelectorAll("th[scope=row]").length`), "what was read stays")
	first.down.Store(false)
	b.until(`!document.querySelector("table").textContent.includes("no route to host")`)
}

// A page that is open says when its server is away, and finds one that was started
// anew, though a proxy answered meanwhile.
func TestBrowserFindsAServerThatWasStartedAnew(t *testing.T) {
	var now atomic.Pointer[http.Handler]
	swap := func(h http.Handler) { now.Store(&h) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*now.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	serving := func(ready bool) http.Handler {
		board, i := NewBoard(nil), well("bl01t-mo-ioc-01", "simstage", "ws011", started)
		i.Ready = ready
		board.put(reading{
			place: place{"https://site", "bl01t"}, context: "site", beamline: "bl01t", read: time.Now(),
			namespace: newLine(t, "bl01t").n, status: &status.Status{Beamline: "bl01t", Instances: []status.IOC{i}},
		})
		return NewServer(board, &net.TCPAddr{IP: net.IPv4zero})
	}
	swap(serving(true))
	b := browse(t)
	b.hurry()
	b.open(server.URL)
	b.until(isLive)
	swap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	server.CloseClientConnections()
	b.until(`document.getElementById("link").textContent.startsWith("Not connected since ")`)
	b.until(`document.getElementById("said").textContent.startsWith("Not connected since ")`)
	swap(serving(false))
	b.until(isLive)
	b.until(rowOf("bl01t", "bl01t-mo-ioc-01") + `.textContent.includes("not ready")`)
}

// Without JavaScript everything is there, and refreshes.
func TestBrowserWithoutScript(t *testing.T) {
	address, _, first, _ := two(t)
	b := browse(t)
	_, err := chromedp.Call(
		b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true},
	)
	require.NoError(t, err)
	b.open(address)
	require.Contains(t, see[string](b, `document.getElementById("link").textContent`), "As of 20", "no script ran")
	require.Contains(t, see[string](b, rowOf("bl01t", "c")+`.textContent`), "well")
	first.die("c", 4)
	b.until(rowOf("bl01t", "c") + `.textContent.includes("ended 4 times")`)
	b.do(chromedp.SendKeys(`input[name=text]`, "139"), chromedp.Click("form button"))
	b.until(`location.search.includes("text=139") && document.querySelectorAll("th[scope=row]").length === 2`)
	b.do(chromedp.Click(`a[href="/iocs/site/bl01t/c"]`))
	b.until(`document.title === "c" && document.body.textContent.includes("fake logs")`)
	require.Equal(t, "refresh", see[string](b, `document.querySelector("noscript meta").httpEquiv`))
}
