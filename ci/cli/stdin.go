package cli

import (
	"context"
	"io"
)

// stdin returns what reads stdin until ctx ends: a person, or the program before a pipe,
// may write nothing for ever, and Ctrl-C must end that too.
func (a *app) stdin(ctx context.Context) io.Reader { return patient{ctx, a.In} }

type patient struct {
	ctx context.Context
	r   io.Reader
}

// Read returns the error of ctx when that ends first. What comes after that is lost.
func (p patient) Read(text []byte) (int, error) {
	own, n, done := make([]byte, len(text)), 0, make(chan error, 1)
	go func() {
		var err error
		n, err = p.r.Read(own)
		done <- err
	}()
	select {
	case <-p.ctx.Done():
		return 0, p.ctx.Err()
	case err := <-done:
		return copy(text, own[:n]), err
	}
}
