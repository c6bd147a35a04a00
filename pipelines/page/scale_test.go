package page

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/status"
)

// A site of 100 beamlines of 50 IOCs is one page too. The times are told, and not asserted.
func TestBrowserShowsASite(t *testing.T) {
	board := aSite()
	server := httptest.NewServer(NewServer(board, anyAddress))
	t.Cleanup(server.Close)
	b := browse(t)
	b.open(server.URL)
	b.until(isLive)
	require.Equal(t, 5000, see[int](b, `document.querySelectorAll("tbody th[scope=row]").length`))
	loaded := see[map[string]float64](b, `(() => {
		const n = performance.getEntriesByType("navigation")[0];
		return {first: n.responseStart - n.requestStart, whole: n.responseEnd - n.requestStart, shown: n.loadEventEnd};
	})()`)
	t.Logf("the first byte after %.0f ms, the last after %.0f ms, shown after %.0f ms",
		loaded["first"], loaded["whole"], loaded["shown"])

	see[bool](b, `for (const body of document.querySelectorAll("tbody")) body.mark = true`)
	all, _, _ := board.now()
	for n := range 5 {
		r := all[n]
		st := *r.status
		st.Instances = append([]status.IOC{}, st.Instances...)
		st.Instances[7].Ready, st.Instances[7].Doing = false, fmt.Sprintf("ended %d times", n+2)
		r.status = &st
		see[bool](b, fmt.Sprintf(`window.seen = new Promise(resolve => new MutationObserver((_, self) => {
			if (!document.getElementById("%s").textContent.includes("ended")) return;
			self.disconnect();
			requestAnimationFrame(() => setTimeout(() => resolve(Date.now()))); // it is painted
		}).observe(document.getElementById("iocs"), {childList: true})); true`, r.place.id()))
		began := time.Now()
		board.put(r)
		painted := see[float64](b, `window.seen`)
		t.Logf("an update of one IOC after %.0f ms", painted-float64(began.UnixMicro())/1000)
	}
	require.Equal(t, 95, see[int](b, `[...document.querySelectorAll("tbody")].filter(b => b.mark).length`),
		"what did not change is left alone")
}
