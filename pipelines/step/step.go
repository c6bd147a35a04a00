// Package step names pieces of work, says when they start and end, and runs
// independent ones side by side.
package step

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"golang.org/x/sync/errgroup"
)

// Event is a step that began (Done false) or ended (Done true), or a line of
// output during it (Line set).
type Event struct {
	Name string        // "building ioc-simstage 1.0.0"
	Done bool          // the step is over
	Took time.Duration // when Done
	Err  error         // when Done: why it failed, nil when it did not
	Line string        // output, without a newline
}

// Sink takes events; it may be called from several goroutines at once.
type Sink func(Event)

type key struct{}

// WithSink returns a context whose steps are reported to sink.
func WithSink(ctx context.Context, sink Sink) context.Context {
	return context.WithValue(ctx, key{}, sink)
}

func report(ctx context.Context, e Event) {
	if sink, ok := ctx.Value(key{}).(Sink); ok && sink != nil {
		sink(e)
	}
}

// Say reports a line about the work under way.
func Say(ctx context.Context, name, line string) { report(ctx, Event{Name: name, Line: line}) }

// Run does one named piece of work and returns its error. The work is a span of
// the trace that ctx is part of: a call of the Dagger module shows it by name,
// with what the engine did for it inside.
func Run(ctx context.Context, name string, work func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	report(ctx, Event{Name: name})
	start := time.Now()
	ctx, span := otel.Tracer("github.com/tagline-ci/tagline").Start(ctx, name)
	defer span.End()
	err := work(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	report(ctx, Event{Name: name, Done: true, Took: time.Since(start), Err: err})
	return err
}

// Soon returns what work returns, or the error of ctx when that ends before: for work that
// does not end with its context. What such work returns later is lost.
func Soon[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	go func() {
		value, err := work()
		ended <- result{value, err}
	}()
	select {
	case r := <-ended:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// Each calls work for every item, at most limit at once, and waits for all.
// Every error is kept, in the order of the items: one broken IOC does not hide
// another. Work that has not begun when ctx ends does not begin.
func Each[T any](ctx context.Context, limit int, items []T, work func(context.Context, T) error) error {
	return EachIndex(ctx, limit, len(items), func(ctx context.Context, i int) error { return work(ctx, items[i]) })
}

// EachIndex is Each for the numbers below n: for work that keeps its results in
// a list.
func EachIndex(ctx context.Context, limit, n int, work func(context.Context, int) error) error {
	var g errgroup.Group
	g.SetLimit(limit)
	errs := make([]error, n)
	for i := range n {
		g.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = work(ctx, i)
			}
			return nil
		})
	}
	g.Wait()
	return errors.Join(errs...)
}
