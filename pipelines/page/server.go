package page

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/links"
)

//go:embed page.html ioc.html pvs.html parts.html page.css page.js ioc.js
var files embed.FS

// Server answers for the page. It takes GET and HEAD alone.
type Server struct {
	board *Board
	links []links.Link
	hosts []string // names under which it may be asked for; nil for any
}

// NewServer returns the handler of a board's page. Where the address that it
// listens at is one of this machine alone, it answers to this machine's names
// alone: else a page of the web could read it through a name that it points here. The
// page of an IOC has the links.
func NewServer(b *Board, listens net.Addr, all ...links.Link) http.Handler {
	s := &Server{board: b, links: all}
	if tcp, ok := listens.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		s.hosts = []string{"localhost", "127.0.0.1", "::1", tcp.IP.String()}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /iocs/{context}/{namespace}/{instance}", s.ioc)
	metrics := prometheus.NewPedanticRegistry()
	metrics.MustRegister(b)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	for _, name := range []string{"page.css", "page.js", "ioc.js"} {
		mux.Handle("GET /"+name, http.FileServerFS(files))
	}
	return s.guard(mux)
}

// Serve answers for the page until ctx ends, and closes the listener.
func Serve(ctx context.Context, listener net.Listener, b *Board, all ...links.Link) error {
	server := &http.Server{
		Handler: NewServer(b, listener.Addr(), all...), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // so that open pages end too
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); ctx.Err() == nil {
		return fmt.Errorf("serving the page: %w", err)
	}
	return nil
}

// guard sets the headers of every answer.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control": "no-store", "Vary": "Accept",
		} {
			w.Header().Set(name, value)
		}
		if s.hosts != nil && !slices.Contains(s.hosts, hostOf(r)) {
			http.Error(w, "this page is asked for as localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOf returns the name under which the server was asked for.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.Trim(host, "[]")
}

// list answers with all beamlines: as a page, as JSON, or as changes to a page.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	filter, err := ParseFilter(r.URL.Query())
	if err != nil {
		fail(w, r, http.StatusBadRequest, err)
		return
	}
	switch {
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		s.stream(w, r, filter)
	case wantsJSON(r):
		writeJSON(w, http.StatusOK, s.board.View(r.Context(), filter, time.Now()))
	default:
		answer(w, "page.html", s.board.View(r.Context(), filter, time.Now()))
	}
}

// wantsJSON reports whether the data is asked for, and not the page: by the
// address, or by an Accept that names JSON before HTML.
func wantsJSON(r *http.Request) bool {
	if r.URL.Query().Get("format") == "json" {
		return true
	}
	accept := r.Header.Get("Accept")
	data, page := strings.Index(accept, "application/json"), strings.Index(accept, "text/html")
	return data >= 0 && (page < 0 || data < page)
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader went away
}

// fail answers with an error and its fix.
func fail(w http.ResponseWriter, r *http.Request, code int, err error) {
	var d *diag.Error
	message := err.Error()
	if errors.As(err, &d) {
		message = fmt.Sprintf("%s: %v; %s", d.Doing, d.Err, d.Fix)
	}
	if wantsJSON(r) {
		writeJSON(w, code, map[string]string{"error": message})
		return
	}
	http.Error(w, message, code)
}

// iocPath returns the address of an IOC's own page.
func iocPath(context, namespace, instance string) string {
	return "/iocs/" + url.PathEscape(context) + "/" + url.PathEscape(namespace) + "/" + url.PathEscape(instance)
}
