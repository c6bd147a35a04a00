package page

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/links"
)

// What somebody wrote into a cluster is text on the page, wherever it stands.
func TestHostileNamesAreText(t *testing.T) {
	const hostile = `<script>alert("x")</script>`
	l := newLine(t, "bl01t", "a")
	l.context = hostile
	l.drift = map[string][]string{"a": {hostile}}
	ran, err := ledger.Read(t.Context(), l.n)
	require.NoError(t, err)
	ran.Hold = &ledger.Note{By: hostile, Reason: hostile}
	require.NoError(t, ran.Save(t.Context(), l.n))
	require.NoError(t, ledger.Append(
		t.Context(), l.n, ledger.Entry{Did: "promote", Version: "2026.11.2", By: hostile, Reason: hostile},
	))
	address, board := serve(t, l)
	until(t, board, "", "it is read", settled(1))
	_, _, body := get(t, address+"/?text=script")
	require.NotContains(t, body, "<script>alert")
	require.Contains(t, body, "&lt;script&gt;alert")
	_, _, body = get(t, address+iocPath(hostile, "bl01t", "a"))
	require.NotContains(t, body, "<script>alert")
	require.Contains(t, body, "&lt;script&gt;alert")
	messages := listen(t, address+"/")
	for _, html := range (<-messages).Changed {
		require.NotContains(t, html, "<script>alert")
	}
}

// What steers a terminal, turns what is read or is no UTF-8 has no effect on the page, nor
// where somebody pastes it; a line of a log has an end.
func TestHostileTextIsLegible(t *testing.T) {
	const hostile = "a\x1b[2Jb\u202ec\xff"
	l := newLine(t, "bl01t", "a")
	l.drift = map[string][]string{"a": {hostile}}
	l.client.PrependReactor("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "log" {
			return false, nil, nil
		}
		text := "\x1b[35;1mred\x1b[0m " + hostile + "\n" + strings.Repeat("x", 1<<20) + "\nlast\n"
		return true, &runtime.Unknown{Raw: []byte(text)}, nil
	})
	address, board := serve(t, l)
	until(t, board, "", "it is read", settled(1))
	_, _, list := get(t, address+"/")
	_, _, ioc := get(t, address+iocPath("site", "bl01t", "a"))
	_, _, data := get(t, address+iocPath("site", "bl01t", "a")+"?format=json")
	changes := <-listen(t, address+"/")
	for name, body := range map[string]string{
		"list": list, "IOC": ioc, "data": data, "change": fmt.Sprint(changes.Changed),
	} {
		require.True(t, utf8.ValidString(body), name)
		require.NotContains(t, body, "\x1b", name)
		require.Contains(t, strings.ReplaceAll(body, `\\`, `\`), `a\x1b[2Jb\u202ec`, name)
		require.Less(t, len(body), 100<<10, name)
	}
	require.Contains(t, ioc, `red a\x1b[2Jb\u202ec\xff`)
	require.Contains(t, ioc, "xxx… and 1046576 bytes more\nlast\n")
}

func TestHeaders(t *testing.T) {
	server := httptest.NewServer(nil)
	defer server.Close()
	server.Config.Handler = NewServer(NewBoard(nil), server.Listener.Addr())
	for _, path := range []string{"/", "/page.css", "/page.js", "/metrics", "/none", "/?state=ill"} {
		_, header, _ := get(t, server.URL+path)
		require.Equal(
			t, "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			header.Get("Content-Security-Policy"), path,
		)
		for _, name := range []string{
			"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy",
			"Cross-Origin-Resource-Policy",
		} {
			require.NotEmpty(t, header.Get(name), "%s of %s", name, path)
		}
	}
	code, _, _ := get(t, server.URL, "Host", "elsewhere.example")
	require.Equal(t, http.StatusForbidden, code, "a name that somebody points at this machine")
	code, _, _ = get(t, server.URL, "Host", "localhost:8080")
	require.Equal(t, http.StatusOK, code)
	answer, err := http.Post(server.URL, "text/plain", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
	open := httptest.NewServer(NewServer(NewBoard(nil), anyAddress))
	defer open.Close()
	code, _, _ = get(t, open.URL, "Host", "status.example")
	require.Equal(t, http.StatusOK, code)
}

// The page needs no script: what it shows and what changes it are links and a
// form, and no part is in the page's own text.
func TestThePageIsWholeWithoutScript(t *testing.T) {
	address, board := serve(t, newLine(t, "bl01t", "a"))
	until(t, board, "", "it is read", settled(1))
	_, header, body := get(t, address+"/?beamline=bl01t")
	require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
	for _, want := range []string{
		`<noscript><meta http-equiv="refresh" content="10"></noscript>`, "<caption", `<th scope="col" aria-sort="ascending">`,
		`<th scope="row"><a id="`, `aria-live="polite"`, `href="/iocs/site/bl01t/a"`,
		`href="?beamline=bl01t&amp;sort=-state"`,
		`<span aria-hidden="true">✔</span> well`, "promoted by ada on ws011", string(digest("7")),
	} {
		require.Contains(t, body, want)
	}
	require.Equal(t, 1, strings.Count(body, "<script"))
	require.NotContains(t, body, "style=")
	require.NotRegexp(t, `\son[a-z]+=`, body)
}

func TestAnIOCHasItsOwnPage(t *testing.T) {
	l := newLine(t, "bl01t", "a", "b")
	require.NoError(t, ledger.Append(
		t.Context(), l.n, ledger.Entry{Did: "restart", Instance: "a", By: "bob", Reason: "lost its device"},
	))
	require.NoError(t, ledger.Append(t.Context(), l.n, ledger.Entry{Did: "restart", Instance: "b", By: "eve"}))
	_, err := l.client.CoreV1().Events(l.n.Name).Create(t.Context(), &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "e"}, InvolvedObject: corev1.ObjectReference{Name: "a-x"},
		Reason: "Pulled", Message: "took 3s",
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	address, board := serve(t, l)
	until(t, board, "", "it is read", settled(1))
	code, _, body := get(t, address+"/iocs/site/bl01t/a")
	require.Equal(t, http.StatusOK, code)
	for _, want := range []string{"fake logs", "Pulled: took 3s", "lost its device", "ada on ws011",
		"tagline restart bl01t a --context site --reason", "tagline rollback bl01t --context site"} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "eve")
	_, _, body = get(t, address+"/iocs/site/bl01t/a", "Accept", "application/json")
	require.Contains(t, body, `"log": [`)
	for _, path := range []string{"/iocs/site/bl01t/c", "/iocs/site/bl02t/a", "/iocs/other/bl01t/a"} {
		code, _, _ = get(t, address+path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
	l.down.Store(true)
	_, _, body = get(t, address+"/iocs/site/bl01t/a")
	require.Contains(t, body, "Not shown: ")
	require.Contains(t, body, "no route to host")
}

// An IOC's page leads to the site's own pages about it.
func TestLinksOfAnIOC(t *testing.T) {
	l := newLine(t, "bl01t", "a")
	_, board := serve(t, l)
	until(t, board, "", "it is read", settled(1))
	all, err := links.Parse([]string{"screens=https://screens.example.org/{beamline}/{ioc}.bob?v={version}"})
	require.NoError(t, err)
	server := httptest.NewServer(NewServer(board, anyAddress, all...))
	t.Cleanup(server.Close)
	_, _, body := get(t, server.URL+"/iocs/site/bl01t/a")
	require.Contains(t, body, `href="https://screens.example.org/bl01t/a.bob?v=2026.11.2">screens</a>`)
	_, _, body = get(t, server.URL+"/iocs/site/bl01t/a", "Accept", "application/json")
	require.Contains(t, body, `"url": "https://screens.example.org/bl01t/a.bob?v=2026.11.2"`)
}

func TestCommandsAreSafeToPaste(t *testing.T) {
	require.Equal(t, `'a b'`, quote("a b"))
	require.Equal(t, `'it'\''s'`, quote("it's"))
	require.Equal(t, `''`, quote(""))
	require.Equal(t, "arn:aws/x", quote("arn:aws/x"))
}
