package page

import (
	"context"
	"time"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// discoverEvery is how often the clusters are asked which beamlines they have.
const discoverEvery = 10 * time.Second

// Reach returns the beamlines that there are, as ledger.Reach does.
type Reach func(context.Context) ([]ledger.Reached, error)

// Watch keeps the board true until ctx ends, and returns when all that it started
// has ended. The error is that of the first reach; later ones leave the board as
// it was.
func (b *Board) Watch(ctx context.Context, reach Reach) error {
	return b.watch(ctx, reach, follow)
}

// follower keeps the reading of one beamline on the board until its context ends.
type follower func(ctx context.Context, b *Board, at place, found ledger.Reached)

func (b *Board) watch(ctx context.Context, reach Reach, follow follower) error {
	crew := &crew{board: b, follow: follow, running: map[place]*member{}}
	defer crew.stop()
	found, err := reach(ctx)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(discoverEvery)
	defer ticker.Stop()
	for {
		if err == nil && ctx.Err() == nil {
			crew.set(ctx, found)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			found, err = reach(ctx)
		}
	}
}

// crew are the followers that run.
type crew struct {
	board   *Board
	follow  follower
	running map[place]*member
	failed  map[string]place // by context: the rows of clusters that did not answer
}

type member struct {
	context string
	stop    context.CancelFunc
	ended   chan struct{}
}

// set lets a follower run for each beamline that was found. One that was not
// found is forgotten only where its cluster answered.
func (c *crew) set(ctx context.Context, found []ledger.Reached) {
	silent, there := map[string]place{}, map[place]bool{}
	for _, r := range found {
		if r.Err != nil {
			at := place{server: "context " + r.Context}
			silent[r.Context] = at
			c.board.put(reading{place: at, context: r.Context, failed: r.Err.Error()})
			continue
		}
		at := place{r.Namespace.Config.Host, r.Namespace.Name}
		there[at] = true
		if c.running[at] == nil {
			c.start(ctx, at, r)
		}
	}
	for context, at := range c.failed {
		if _, still := silent[context]; !still {
			c.board.drop(at)
		}
	}
	c.failed = silent
	for at, m := range c.running {
		if _, unknown := silent[m.context]; !there[at] && !unknown {
			m.end()
			delete(c.running, at)
			c.board.drop(at)
		}
	}
}

func (c *crew) start(ctx context.Context, at place, r ledger.Reached) {
	ctx, stop := context.WithCancel(ctx)
	m := &member{context: r.Context, stop: stop, ended: make(chan struct{})}
	c.running[at] = m
	go func() {
		defer close(m.ended)
		c.follow(ctx, c.board, at, r)
	}()
}

func (m *member) end() {
	m.stop()
	<-m.ended
}

func (c *crew) stop() {
	for _, m := range c.running {
		m.stop()
	}
	for _, m := range c.running {
		<-m.ended
	}
}
