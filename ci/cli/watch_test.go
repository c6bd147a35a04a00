package cli

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// status --watch goes on through a cluster that does not answer for a while, and ends well
// with Ctrl-C.
func TestWatchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, errs bytes.Buffer
		a := &app{Streams: Streams{Out: &out, Err: &errs}}
		ctx, cancel := context.WithCancel(t.Context())
		shown := 0
		require.NoError(t, a.watch(ctx, func(context.Context) error {
			switch shown++; shown {
			case 2:
				return &diag.Error{Kind: diag.Broken, Doing: "reading pods", Err: errors.New("no answer")}
			case 3:
				cancel()
				return context.Canceled
			}
			return nil
		}))
		require.Equal(t, 3, shown)
		require.Equal(t, "tagline: reading pods: no answer\n", errs.String())
		require.NotContains(t, out.String(), "\x1b", "only a terminal is cleared")
	})
}

// A beamline that there is not is not waited for.
func TestWatchEndsWhereNothingCanCome(t *testing.T) {
	var errs bytes.Buffer
	a := &app{Streams: Streams{Out: &bytes.Buffer{}, Err: &errs}}
	unknown := &diag.Error{Kind: diag.Invalid, Doing: "looking for beamline", Asset: "bl02t", Err: errors.New("none")}
	require.Equal(t, error(unknown), a.watch(t.Context(), func(context.Context) error { return unknown }))
	require.Empty(t, errs.String())
}
