package tutorialtest

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync"
)

// Proxy is the proxy of a site: it lets clients through to some hosts and refuses all others.
type Proxy struct {
	Tunnels map[string]string // "registry.example.com:443" to where it is on this machine
	Plain   []string          // names of hosts that are asked by plain HTTP

	mu             sync.Mutex
	asked, refused []string
}

// Asked returns the hosts that clients were let through to so far, and those that they were
// not, in order, with their ports.
func (p *Proxy) Asked() (passed, refused []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked), slices.Clone(p.refused)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	connect := r.Method == http.MethodConnect
	to, known := p.Tunnels[r.Host]
	known = connect && known || !connect && slices.Contains(p.Plain, r.URL.Hostname())
	p.mu.Lock()
	if known {
		p.asked = append(p.asked, r.Host)
	} else {
		p.refused = append(p.refused, r.Host)
	}
	p.mu.Unlock()
	switch {
	case !known:
		w.WriteHeader(http.StatusForbidden)
	case connect:
		tunnel(w, to)
	default:
		(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}}).ServeHTTP(w, r)
	}
}

// tunnel joins a client with an address, until one of them ends.
func tunnel(w http.ResponseWriter, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(far, near); far.Close() }()
	_, _ = io.Copy(near, far)
}
