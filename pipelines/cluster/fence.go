package cluster

import (
	"net/http"

	"k8s.io/client-go/rest"
)

// Fenced returns the same namespace, with every request that changes something
// sent only after check returned nil. Helm's requests are among them. The error
// of a request that was not sent wraps that of check.
func (n *Namespace) Fenced(check func() error) (*Namespace, error) {
	config := rest.CopyConfig(n.Config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return fence{next, check} })
	return open(config, n.loader, n.Beamline, n.Name)
}

// fence is the transport of a namespace that Fenced returned.
type fence struct {
	next  http.RoundTripper
	check func() error
}

// RoundTrip sends a request that only reads, or that check lets through.
func (f fence) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := f.check(); err != nil {
			if r.Body != nil {
				r.Body.Close()
			}
			return nil, err
		}
	}
	return f.next.RoundTrip(r)
}
