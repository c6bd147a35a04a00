package cli

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// A line of a log keeps its colours.
func TestColoured(t *testing.T) {
	require.Equal(t, "\x1b[31mbad\x1b[0m \\x1b[2J", coloured("\x1b[31mbad\x1b[0m \x1b[2J"))
}

// Results, errors and progress are written so.
func TestWhatIsWrittenIsPlain(t *testing.T) {
	const bad = "a\x1b[2Jb"
	var out, errs bytes.Buffer
	a := &app{Streams: Streams{Out: &out, Err: &errs}, output: "text"}
	require.NoError(t, a.print(nil, func(w io.Writer) error { _, err := io.WriteString(w, bad); return err }))
	a.complain(errors.New(bad))
	p := newProgress(&errs)
	p.sink(step.Event{Name: bad, Line: bad})
	p.sink(step.Event{Name: bad})
	require.NotContains(t, p.under(100), "\x1b")
	p.sink(step.Event{Name: bad, Done: true})
	p.close()
	a.logLines(nil)("x", bad)
	require.NotContains(t, out.String()+errs.String(), "\x1b")
	require.Contains(t, out.String(), `a\x1b[2Jb`)
}
