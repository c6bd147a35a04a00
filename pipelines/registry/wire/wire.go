// Package wire sends HTTP requests to a registry that may be slow, busy or
// silent: it waits as long as the registry asks, ends requests in which nothing
// moves, and remembers what each host answered to a first request.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxWait is the longest that a registry's "Retry-After" is obeyed. A registry
// that asks for more is taken to be out of order.
const maxWait = time.Minute

// New returns a transport that waits for a busy registry and ends requests in
// which no byte moves for the duration stall.
func New(inner http.RoundTripper, stall time.Duration) http.RoundTripper {
	return &patient{inner: &moving{inner, stall}}
}

// patient waits as long as a registry asks before it returns the answer to
// go-containerregistry, which tries again but does not know how long to wait.
//
// It also remembers what go-containerregistry asks again for each repository, of
// which a beamline has one for each chart: that a registry speaks plain HTTP,
// where go-containerregistry tries TLS first, and how to log in.
type patient struct {
	inner http.RoundTripper
	plain sync.Map // the error of the first TLS handshake, a tls.RecordHeaderError by host
	hello sync.Map // the answer to GET /v2/, an http.Response by address
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	if refusal, ok := p.plain.Load(req.URL.Host); ok && req.URL.Scheme == "https" {
		return nil, refusal.(error)
	}
	hello := req.Method == http.MethodGet && req.URL.Path == "/v2/" && req.Header.Get("Authorization") == ""
	if known, ok := p.hello.Load(req.URL.String()); ok && hello {
		res := known.(http.Response)
		res.Request, res.Header, res.Body = req, res.Header.Clone(), http.NoBody
		return &res, nil
	}
	req, err := fresh(req)
	if err != nil {
		return nil, err
	}
	res, err := p.inner.RoundTrip(req)
	if hello && err == nil && (res.StatusCode == http.StatusOK || res.StatusCode == http.StatusUnauthorized) {
		p.hello.Store(req.URL.String(), http.Response{
			Status: res.Status, StatusCode: res.StatusCode, Header: res.Header.Clone(),
			Proto: res.Proto, ProtoMajor: res.ProtoMajor, ProtoMinor: res.ProtoMinor,
		})
	}
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) {
		p.plain.Store(req.URL.Host, notTLS)
	}
	if err != nil || res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return res, err
	}
	if err := Sleep(req.Context(), retryAfter(res.Header.Get("Retry-After"), time.Now())); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// fresh returns a request whose body starts at its beginning. When a token was
// refused and renewed, go-containerregistry sends a body that was partly read.
func fresh(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	if req.Body != nil {
		req.Body.Close()
	}
	again := *req
	again.Body = body
	return &again, nil
}

// retryAfter reads a Retry-After header: seconds, or a date. It returns 0 for
// what it can't read, and maxWait at most.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if date, err := http.ParseTime(header); err == nil {
		return min(max(date.Sub(now), 0), maxWait)
	}
	return 0
}

// Sleep waits for d, or until ctx ends, whose error it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
