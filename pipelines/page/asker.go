package page

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/channelaccess"
)

// What people who look may ask of IOCs, however many they are: few IOCs are asked at
// once, each over one connection, for a bounded number of PVs, and at most once in
// askEvery. Who waits for longer than waitWithin for his turn does without.
const (
	iocsAtOnce = 8
	pvsAtOnce  = 50
	askEvery   = time.Second
	waitWithin = 2 * time.Second
	// findWithin bounds the reading of where the IOC is, and answerWithin its answers.
	findWithin   = 4 * time.Second
	answerWithin = 2 * time.Second
)

// errBusy is for who waited too long.
var errBusy = errors.New("others are asking IOCs at this moment; try again")

// readPVs asks the IOC at an address for PVs, as channelaccess.Read does.
type readPVs func(context.Context, netip.AddrPort, []string) ([]channelaccess.Answer, error)

// asker gives turns to those who ask IOCs. It is safe for use by several goroutines.
type asker struct {
	read  readPVs
	every time.Duration // askEvery
	room  chan struct{} // holds one for each IOC that is being asked

	mu   sync.Mutex
	iocs map[string]*turns // those that somebody waits for, or asked in the last second
}

// turns are those of one IOC.
type turns struct {
	turn  chan struct{} // holds one while somebody asks
	users int           // who ask or wait
	last  asked         // changed by who has the turn
}

// asked is what came of asking an IOC.
type asked struct {
	pvs     []string
	time    time.Time // zero where it was never asked
	server  netip.AddrPort
	answers []channelaccess.Answer // beside the PVs; none where it failed
	failed  string
}

func newAsker(read readPVs) *asker {
	return &asker{read: read, every: askEvery, room: make(chan struct{}, iocsAtOnce), iocs: map[string]*turns{}}
}

// do asks an IOC for PVs by ask, or returns what it just said of the same ones.
func (a *asker) do(ctx context.Context, ioc string, pvs []string, ask func(context.Context) asked) (asked, error) {
	t := a.enter(ioc)
	defer a.leave(t)
	wait, cancel := context.WithTimeout(ctx, waitWithin)
	defer cancel()
	if !takes(wait, t.turn) {
		return asked{}, errBusy
	}
	defer func() { <-t.turn }()
	age := time.Since(t.last.time)
	if age < a.every && slices.Equal(pvs, t.last.pvs) {
		return t.last, nil
	}
	select {
	case <-time.After(a.every - age): // at once where that is long ago
	case <-wait.Done():
		return asked{}, errBusy
	}
	if !takes(wait, a.room) {
		return asked{}, errBusy
	}
	defer func() { <-a.room }()
	t.last = ask(context.WithoutCancel(ctx)) // who waits gets it too, though this one goes away
	t.last.pvs, t.last.time = pvs, time.Now()
	return t.last, nil
}

// takes takes a place, and reports whether there was one in time.
func takes(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// enter returns the turns of an IOC, and forgets those of IOCs that nobody asked lately.
func (a *asker) enter(ioc string) *turns {
	a.mu.Lock()
	defer a.mu.Unlock()
	for other, t := range a.iocs {
		if t.users == 0 && time.Since(t.last.time) > a.every {
			delete(a.iocs, other)
		}
	}
	if a.iocs[ioc] == nil {
		a.iocs[ioc] = &turns{turn: make(chan struct{}, 1)}
	}
	a.iocs[ioc].users++
	return a.iocs[ioc]
}

func (a *asker) leave(t *turns) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t.users--
}
