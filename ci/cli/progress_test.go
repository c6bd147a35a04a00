package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// In a log, which is no terminal, each step is one line when it has ended, and what a step
// says stands below its name.
func TestProgressInALog(t *testing.T) {
	var log bytes.Buffer
	p := newProgress(&log)
	p.sink(step.Event{Name: "build ioc-simstage"})
	p.sink(step.Event{Name: "boot bl01t-a"})
	p.sink(step.Event{Name: "boot bl01t-a", Line: "iocRun: All initialization complete"})
	p.sink(step.Event{Name: "boot bl01t-a", Done: true, Took: 1200 * time.Millisecond})
	p.sink(step.Event{Name: "build ioc-simstage", Done: true, Took: 184 * time.Second, Err: errors.New("no")})
	p.aside(func() { log.WriteString("a question\n") })
	p.close()
	require.Equal(t, "  boot bl01t-a: iocRun: All initialization complete\n✔ boot bl01t-a (1.2s)\n"+
		"✘ build ioc-simstage (3m04s)\na question\n", log.String())
}

// What is under way is named in the order in which it began, on one line of the terminal.
func TestWhatIsUnderWay(t *testing.T) {
	p := &progress{w: &bytes.Buffer{}, started: map[string]time.Time{}}
	for _, name := range []string{"one", "two", "three"} {
		p.sink(step.Event{Name: name})
	}
	p.sink(step.Event{Name: "two", Done: true})
	require.Equal(t, "… one 0.0s, three 0.0s", p.under(100))
	require.Equal(t, "… one", p.under(5))
	p.sink(step.Event{Name: strings.Repeat("é", 200)})
	require.Len(t, []rune(p.under(100)), 100)
	for _, name := range []string{"one", "three", strings.Repeat("é", 200)} {
		p.sink(step.Event{Name: name, Done: true})
	}
	require.Equal(t, "… ", p.under(100))
}

// On a terminal a whole line takes the place of the live one, and nothing of that is left.
func TestProgressOnATerminal(t *testing.T) {
	const cleared = "\r\x1b[K"
	var screen bytes.Buffer
	p := &progress{w: &screen, live: true, started: map[string]time.Time{}, stop: make(chan struct{})}
	p.sink(step.Event{Name: "one", Done: true})
	require.Equal(t, cleared+"✔ one (0.0s)\n", screen.String())
	screen.Reset()
	p.aside(func() { screen.WriteString("name: ") })
	require.Equal(t, cleared+"name: ", screen.String())
	screen.Reset()
	p.done.Go(p.redraw)
	p.close()
	require.True(t, strings.HasSuffix(screen.String(), cleared))
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0s", 400 * time.Millisecond: "0.4s", 9900 * time.Millisecond: "9.9s", 12 * time.Second: "12s",
		time.Minute: "1m00s", 184 * time.Second: "3m04s", 2 * time.Hour: "120m00s",
	} {
		require.Equal(t, want, short(d))
	}
}
