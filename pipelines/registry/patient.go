package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxWait is the longest that a registry's "Retry-After" is obeyed; one that
// asks for more is taken to be out of order.
const maxWait = time.Minute

// patient waits as long as a registry asks for before the answer is given to
// go-containerregistry, which then tries again but does not know how long to wait.
//
// It also remembers what go-containerregistry asks again for each repository, of
// which a beamline has one for each chart: that a registry speaks plain HTTP,
// where it tries TLS first, and how the registry wants to be logged in to.
type patient struct {
	inner http.RoundTripper
	plain sync.Map // what the first try of TLS met, a tls.RecordHeaderError by host
	hello sync.Map // what GET /v2/ answered, an http.Response by address
}

// RoundTrip is that of http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	if met, ok := p.plain.Load(req.URL.Host); ok && req.URL.Scheme == "https" {
		return nil, met.(error)
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
			Status: res.Status, StatusCode: res.StatusCode, Proto: res.Proto, ProtoMajor: res.ProtoMajor, ProtoMinor: res.ProtoMinor, Header: res.Header.Clone(),
		})
	}
	var met tls.RecordHeaderError
	if errors.As(err, &met) {
		p.plain.Store(req.URL.Host, met)
	}
	if err != nil || res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return res, err
	}
	if err := sleep(req.Context(), retryAfter(res.Header.Get("Retry-After"), time.Now())); err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// fresh gives a request its body from the beginning: go-containerregistry sends
// one again, as far as it was read, when its token was refused and renewed.
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

// retryAfter reads the header of that name: seconds, or a date. It gives 0 for
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

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
