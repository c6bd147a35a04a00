package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/tagline-ci/tagline/pipelines/legible"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// progress shows steps on stderr: a line for each that ended and, on a
// terminal, one live line of those under way.
type progress struct {
	w       io.Writer
	live    bool
	mu      sync.Mutex
	started map[string]time.Time
	order   []string
	stop    chan struct{}
	done    sync.WaitGroup
}

// newProgress starts the display; close ends it and clears the live line.
func newProgress(w io.Writer) *progress {
	p := &progress{w: w, started: map[string]time.Time{}, stop: make(chan struct{})}
	p.live = isTerminal(w)
	if p.live {
		p.done.Go(p.redraw)
	}
	return p
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func (p *progress) close() {
	close(p.stop)
	p.done.Wait()
}

// aside does work while nothing is drawn, as a person reads and types there.
func (p *progress) aside(work func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	work()
}

// sink shows one event of a step.
func (p *progress) sink(e step.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(e)
	switch {
	case e.Line != "":
		p.line("  %s: %s", e.Name, e.Line)
	case e.Done:
		mark := "✔"
		if e.Err != nil {
			mark = "✘"
		}
		p.line("%s %s (%s)", mark, e.Name, short(e.Took))
	}
}

// glance takes in one event of a step for the live line alone.
func (p *progress) glance(e step.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(e)
}

// note notes which steps are under way. The caller holds the lock.
func (p *progress) note(e step.Event) {
	switch {
	case e.Line != "":
	case e.Done:
		delete(p.started, e.Name)
	default:
		p.started[e.Name] = time.Now()
		p.order = append(p.order, e.Name)
	}
}

// line writes a whole line above the live one.
func (p *progress) line(format string, args ...any) {
	clear := ""
	if p.live {
		clear = "\r\x1b[K"
	}
	fmt.Fprint(p.w, clear+legible.Text(fmt.Sprintf(format, args...))+"\n")
}

// redraw draws the live line until close.
func (p *progress) redraw() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			fmt.Fprint(p.w, "\r\x1b[K")
			return
		case <-tick.C:
			p.mu.Lock()
			fmt.Fprint(p.w, "\r\x1b[K"+p.under(100))
			p.mu.Unlock()
		}
	}
}

// under returns the names of the steps under way, cut to a width.
func (p *progress) under(width int) string {
	var parts []string
	var still []string
	for _, name := range p.order {
		if t, ok := p.started[name]; ok {
			still = append(still, name)
			parts = append(parts, fmt.Sprintf("%s %s", name, short(time.Since(t))))
		}
	}
	p.order = still
	text := []rune("… " + legible.Text(strings.Join(parts, ", ")))
	return string(text[:min(len(text), width)])
}

// short formats a duration as people say it: 0.4s, 12s, 3m04s.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	}
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
