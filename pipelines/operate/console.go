package operate

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

const (
	// consoleTerm is how long a console counts that no longer renews its entry.
	consoleTerm = time.Minute
	// consoleRenewal is how often it does, and how late others hear of it.
	consoleRenewal = 15 * time.Second
	// consolePatience is how long a person waits at most for what is only news.
	consolePatience = 5 * time.Second
)

// Attend writes down that somebody is in the shell of an IOC until leave is called, and
// says in lines for that person who else is there: at once, and when somebody comes or
// goes. Where that can't be written or read, one line says so, and the console goes on.
func Attend(
	ctx context.Context, n *cluster.Namespace, instance, who string, say func(line string),
) (leave func()) {
	a := &attendance{n: n, id: rand.Text(), say: say, own: ledger.Console{
		Instance: instance, By: who, Since: time.Now().UTC().Truncate(time.Second),
	}}
	a.renew(ctx)
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ticks := time.Tick(consoleRenewal); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticks:
				a.renew(ctx)
			}
		}
	}()
	return func() {
		stop()
		<-ended
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), consolePatience)
		defer cancel()
		// What can't be taken back is over by itself.
		_ = ledger.LeaveConsole(limited, n, a.id)
	}
}

// attendance is a console that is open, and who else was last seen in it.
type attendance struct {
	n      *cluster.Namespace
	id     string
	own    ledger.Console
	say    func(line string)
	others map[string]ledger.Console
	failed bool // and it was said
}

// renew writes the own entry again, and says who came and went.
func (a *attendance) renew(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, consolePatience)
	defer cancel()
	now := time.Now().UTC().Truncate(time.Second)
	a.own.Until = now.Add(consoleTerm)
	others, err := ledger.EnterConsole(limited, a.n, a.id, a.own, now)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		if !a.failed {
			a.say("Who else is in this shell is not known: " + err.Error())
		}
		a.failed = true
		return
	}
	a.failed = false
	for _, line := range news(a.others, others) {
		a.say(line)
	}
	a.others = others
}

// news returns a line for each console that is new or has gone, the oldest first.
func news(before, now map[string]ledger.Console) []string {
	var lines []string
	for _, c := range difference(now, before) {
		lines = append(lines, fmt.Sprintf("%s is in this shell too, since %s.",
			c.By, c.Since.Local().Format(time.DateTime)))
	}
	for _, c := range difference(before, now) {
		lines = append(lines, c.By+" has left this shell.")
	}
	return lines
}

// difference returns the consoles that only the first has, the oldest first.
func difference(these, those map[string]ledger.Console) []ledger.Console {
	only := maps.Clone(these)
	maps.DeleteFunc(only, func(id string, _ ledger.Console) bool { _, both := those[id]; return both })
	return slices.SortedFunc(maps.Values(only), func(a, b ledger.Console) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.By, b.By)
	})
}
