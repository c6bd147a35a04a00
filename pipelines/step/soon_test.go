package step_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// Work that does not end with its context keeps nobody waiting.
func TestSoon(t *testing.T) {
	got, err := step.Soon(t.Context(), func() (int, error) { return 5, errors.New("half") })
	require.Equal(t, 5, got)
	require.EqualError(t, err, "half")

	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	defer close(never)
	got, err = step.Soon(ctx, func() (int, error) { cancel(); <-never; return 5, nil })
	require.Zero(t, got)
	require.ErrorIs(t, err, context.Canceled)
}
