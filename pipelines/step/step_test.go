package step_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/step"
)

func TestRunReportsItsBeginningAndEnd(t *testing.T) {
	var events []step.Event
	ctx := step.WithSink(t.Context(), func(e step.Event) { e.Took = 0; events = append(events, e) })
	broken := errors.New("broken")
	err := step.Run(ctx, "building", func(ctx context.Context) error {
		step.Say(ctx, "building", "asyn")
		return broken
	})
	require.ErrorIs(t, err, broken)
	require.Equal(
		t,
		[]step.Event{{Name: "building"}, {Name: "building", Line: "asyn"}, {Name: "building", Done: true, Err: broken}},
		events,
	)
}

func TestRunWithoutASink(t *testing.T) {
	require.NoError(t, step.Run(t.Context(), "building", func(context.Context) error { return nil }))
}

func TestNothingBeginsOnceInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	work := func(context.Context) error { t.Error("it ran"); return nil }
	require.ErrorIs(t, step.Run(ctx, "x", work), context.Canceled)
	require.ErrorIs(
		t, step.Each(ctx, 1, []int{1, 2}, func(ctx context.Context, _ int) error { return work(ctx) }),
		context.Canceled,
	)
}

func TestEachKeepsEveryErrorInOrder(t *testing.T) {
	var done atomic.Int32
	err := step.Each(t.Context(), 2, []string{"a", "b", "c", "d"}, func(_ context.Context, s string) error {
		done.Add(1)
		if s == "b" || s == "d" {
			return errors.New(s + " is broken")
		}
		return nil
	})
	require.EqualError(t, err, "b is broken\nd is broken")
	require.EqualValues(t, 4, done.Load(), "one fault does not stop the others")
	require.NoError(t, step.Each(
		t.Context(), 1, nil, func(context.Context, int) error { return errors.New("no item") },
	))
}

func TestEachIndexIsBounded(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	results := make([]string, 20)
	gate := make(chan struct{}, 3)
	err := step.EachIndex(t.Context(), 3, len(results), func(_ context.Context, i int) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		gate <- struct{}{} // would fill up and deadlock if nobody left
		results[i] = fmt.Sprint(i)
		<-gate
		mu.Lock()
		running--
		mu.Unlock()
		return nil
	})
	require.NoError(t, err)
	require.LessOrEqual(t, most, 3)
	require.Equal(t, "19", results[19])
}

func TestLaterWorkDoesNotBeginAfterAnInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ran := 0
	err := step.EachIndex(ctx, 1, 3, func(context.Context, int) error {
		ran++
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, ran)
}
