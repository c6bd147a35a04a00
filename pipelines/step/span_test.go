package step_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// TestSpans: each step is a span of its name, below the step that it is part of,
// and one that failed says why.
func TestSpans(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSyncer(spans)))
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	err := step.Run(t.Context(), "releasing", func(ctx context.Context) error {
		return step.Run(ctx, "building", func(context.Context) error { return errors.New("no compiler") })
	})
	require.EqualError(t, err, "no compiler")
	got := spans.GetSpans()
	require.Len(t, got, 2)
	building, releasing := got[0], got[1]
	assert.Equal(t, "building", building.Name)
	assert.Equal(t, "releasing", releasing.Name)
	assert.Equal(t, releasing.SpanContext.SpanID(), building.Parent.SpanID())
	assert.Equal(t, trace.Status{Code: codes.Error, Description: "no compiler"}, building.Status)
}
