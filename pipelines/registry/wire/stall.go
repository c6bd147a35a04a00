package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// MaxStall is the longest that no byte may move between us and a registry, in
// either direction. It is generous: the last megabytes that are sent wait in the
// kernel's buffers, which is not seen from here.
const MaxStall = 2 * time.Minute

// moving ends requests in which nothing moves, for which go-containerregistry
// would wait for ever. It then tries them again, as it does with other errors
// that may pass.
type moving struct {
	inner http.RoundTripper
	limit time.Duration
}

// stalled is the error of a request in which nothing moved for that long.
type stalled time.Duration

// Error says for how long nothing moved.
func (s stalled) Error() string { return fmt.Sprintf("nothing moved for %s", time.Duration(s)) }

// Temporary lets it be tried again.
func (stalled) Temporary() bool { return true }

// RoundTrip implements http.RoundTripper.
func (m *moving) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watched{limit: m.limit, ctx: ctx, cancel: cancel}
	w.timer = time.AfterFunc(m.limit, func() { cancel(stalled(m.limit)) })
	sent := req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		sent.Body = &body{req.Body, w, false}
	}
	res, err := m.inner.RoundTrip(sent)
	if err != nil {
		return nil, w.end(err)
	}
	w.moved()
	res.Body = &body{res.Body, w, true}
	return res, nil
}

// watched is a request that is under way, with its timer.
type watched struct {
	limit  time.Duration
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (w *watched) moved() { w.timer.Reset(w.limit) }

// end stops the timer. It returns err, or the error that nothing moved if that
// is what ended the request.
func (w *watched) end(err error) error {
	w.timer.Stop()
	cause := context.Cause(w.ctx)
	w.cancel(nil)
	var s stalled
	if errors.As(cause, &s) {
		return s
	}
	return err
}

// body is a request's or an answer's body. Each read of it resets the timer.
type body struct {
	io.ReadCloser
	w    *watched
	last bool // the answer's body, whose end is the end of the request
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.w.moved()
	if b.last && err != nil {
		if end := b.w.end(err); err != io.EOF {
			err = end
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close() // first, so that the connection is used again
	if b.last {
		b.w.end(nil)
	}
	return err
}
