package page

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a page in a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browse starts Chromium for one test, without a window unless
// CHROMEDP_VISIBLEWINDOW asks for one.
func browse(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts Chromium")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...))
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	require.NoError(t, chromedp.Do(ctx), "it needs Chromium: make chromium installs Debian's")
	b.do(chromedp.EmulateViewport(1200, 800))
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, steps...))
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// prefers lets the reader prefer "light" or "dark".
func (b *tab) prefers(scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(b.t, err)
}

// see returns the value of an expression in JavaScript.
func see[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, expression)
	return value
}

// until waits until an expression in JavaScript is true, on whatever page the tab has then.
func (b *tab) until(expression string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		return err == nil && ok
	}, time.Minute, 20*time.Millisecond, expression)
}

// hurry lets scripts of pages wait a tenth of a second where they want to wait longer.
func (b *tab) hurry() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const wait = setTimeout; window.setTimeout = (f, ms) => wait(f, Math.min(ms, 100)); }`,
	})
	require.NoError(b.t, err)
}
