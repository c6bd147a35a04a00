// Package reach finds out whether a site or a socket answers.
package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Limit is how long somebody may take to answer.
const Limit = 4 * time.Second

// Site returns why a site cannot be used: nil when it answers with one of the
// HTTP statuses. The error names the host and not the whole address.
func Site(ctx context.Context, site string, statuses ...int) error {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, site, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return fmt.Errorf("%s: no answer in %s", req.URL.Host, Limit)
		}
		return WithoutURL(err)
	}
	resp.Body.Close()
	if slices.Contains(statuses, resp.StatusCode) {
		return nil
	}
	return fmt.Errorf("%s: %s", req.URL.Host, resp.Status)
}

// Socket returns why nobody can be spoken to at an address; network is "unix"
// or "tcp".
func Socket(ctx context.Context, network, address string) error {
	conn, err := (&net.Dialer{Timeout: Limit}).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// WithoutURL drops the method and the address that the HTTP client puts before
// the cause, which names the host itself.
func WithoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
