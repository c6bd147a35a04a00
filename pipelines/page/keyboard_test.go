package page

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// stop is what has the focus after a press of the tab key.
type stop struct {
	Name    string // of a field, the text of a link or button, or a label
	Outline string // its style: "solid"
	Width   float64
	Seen    bool // nothing lies over it
}

const hasFocus = `(() => {
	const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
	const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
	return {
		Name: e === document.body ? "" : e.name || (e.role === "region" ? "table" : e.textContent.trim()),
		Outline: style.outlineStyle, Width: parseFloat(style.outlineWidth), Seen: !over || e.contains(over),
	};
})()`

// tabs presses the tab key until the end of the page, and returns where it stopped.
func (b *tab) tabs(modifiers ...chromedp.Modifier) (stops []stop) {
	b.t.Helper()
	for range 200 {
		b.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(modifiers...)))
		now := see[stop](b, hasFocus)
		if now.Name == "" {
			return stops
		}
		stops = append(stops, now)
	}
	b.t.Fatal("the focus never leaves the page")
	return nil
}

// All that can be used can be reached by keyboard, in the order in which it is
// read, and it is seen what has the focus.
func TestBrowserKeyboard(t *testing.T) {
	address, b := aShift(t), browse(t)
	b.do(chromedp.EmulateViewport(1400, 300))
	b.open(address)
	names := func(stops []stop) (all []string) {
		for _, s := range stops {
			require.Equal(t, "solid", s.Outline, s.Name)
			require.GreaterOrEqual(t, s.Width, 2.0, s.Name)
			require.True(t, s.Seen, "something lies over %s", s.Name)
			all = append(all, s.Name)
		}
		return all
	}
	want := []string{
		"? not read", "✖ not ready", "▲ restarted", "◆ drifted", "○ stray pods", "■ stopped", "✔ well",
		"beamline", "state", "ioc", "version", "node", "text", "pv", "Show", "Show all", "table",
		"IOC", "State", "Version", "Generic IOC", "Node", "Restarts", "Running since",
		"bl45p-mo-ioc-02", "bl45p-ea-ioc-01", "bl45p-ea-ioc-02", "bl45p-mo-ioc-01", "bl01t-mo-ioc-01",
		"bl01t-mo-ioc-02", "bl70t-va-ioc-01", "bl70t-mo-ioc-01", "bl71t-ea-ioc-01", "bl71t-mo-ioc-01",
		"The same as JSON",
	}
	forth := names(b.tabs())
	require.Equal(t, want, forth)
	back := names(b.tabs(chromedp.ModifierShift))
	slices.Reverse(back)
	require.Equal(t, want, back)
	b.do(chromedp.Focus("input[name=text]"), chromedp.KeyEvent("pump"+kb.Enter))
	b.until(`location.search.includes("text=pump")`)
	b.do(chromedp.Focus("tbody a"), chromedp.KeyEvent(kb.Enter))
	b.until(`document.title === "bl70t-va-ioc-01"`)
}
