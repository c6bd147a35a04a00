package page

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// crowd counts those who ask at one time.
type crowd struct{ now, most, all atomic.Int32 }

// asks asks for a time.
func (c *crowd) asks(d time.Duration) func(context.Context) asked {
	return func(context.Context) asked {
		now := c.now.Add(1)
		for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
		}
		c.all.Add(1)
		time.Sleep(d)
		c.now.Add(-1)
		return asked{failed: "it was asked"}
	}
}

// together lets many ask at the same time, and returns how many of them were busy.
func together(many int, ask func(i int) error) (busy int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range many {
		all.Go(func() {
			if err := ask(i); err != nil {
				mu.Lock()
				busy++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return busy
}

// However many look at an IOC, it is asked by one at a time.
func TestAnIOCIsAskedByOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newAsker(nil), &crowd{}
		busy := together(100, func(int) error {
			said, err := a.do(t.Context(), "a", []string{"X"}, c.asks(answerWithin/2))
			if err == nil {
				require.Equal(t, "it was asked", said.failed)
			}
			return err
		})
		require.Zero(t, busy)
		require.EqualValues(t, 1, c.all.Load(), "what it just said is for all who ask the same")
	})
	synctest.Test(t, func(t *testing.T) {
		a, c, began := newAsker(nil), &crowd{}, time.Now()
		busy := together(100, func(i int) error {
			_, err := a.do(t.Context(), "a", []string{fmt.Sprint(i)}, c.asks(10*time.Millisecond))
			return err
		})
		require.EqualValues(t, 1, c.most.Load())
		require.EqualValues(t, 2, c.all.Load(), "one at once, and one after a second")
		require.Equal(t, 98, busy)
		require.Less(t, time.Since(began), 2*waitWithin, "nobody waits for longer")
	})
}

// However many IOCs are looked at, few are asked at once, and what is over is forgotten.
func TestFewIOCsAreAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, c := newAsker(nil), &crowd{}
		busy := together(100, func(i int) error {
			_, err := a.do(t.Context(), fmt.Sprint(i), []string{"X"}, c.asks(answerWithin/2))
			return err
		})
		require.EqualValues(t, iocsAtOnce, c.most.Load())
		require.Less(t, busy, 100-iocsAtOnce)
		require.NotZero(t, busy)
		time.Sleep(2 * askEvery)
		_, err := a.do(t.Context(), "x", []string{"X"}, c.asks(0))
		require.NoError(t, err)
		require.Len(t, a.iocs, 1)
	})
}

// Who goes away does not take the answer with him.
func TestWhoGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsker(nil)
		ctx, leave := context.WithCancel(t.Context())
		said, err := a.do(ctx, "a", []string{"X"}, func(ctx context.Context) asked {
			leave()
			return asked{failed: fmt.Sprint(ctx.Err())}
		})
		require.NoError(t, err)
		require.Equal(t, "<nil>", said.failed)
	})
}
