package cli

import (
	"context"
	"io"

	"github.com/tagline-ci/tagline/pipelines/step"
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
	own := make([]byte, len(text)) // what comes late must not go into text
	n, err := step.Soon(p.ctx, func() (int, error) { return p.r.Read(own) })
	return copy(text, own[:n]), err
}
