package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/status"
)

const (
	// gatherFor is how long changes are gathered into one message.
	gatherFor = 200 * time.Millisecond
	// ageEvery is how often what depends on the time alone is looked at again.
	ageEvery = 10 * time.Second
)

// change is a message to a page that is open.
type change struct {
	Order   []string          `json:"order"`   // the ids of all beamlines that are shown
	Changed map[string]string `json:"changed"` // by id: the HTML of its tbody
	Counts  string            `json:"counts"`  // HTML
	Said    string            `json:"said,omitempty"`
}

// viewer is what the page of one reader shows.
type viewer struct {
	shown map[string]shown
}

type shown struct {
	from  source
	html  string // empty where it was not rendered for this reader
	level status.Level
	place status.Standing
}

// source is what the HTML of a beamline is made from, as long as it can be read;
// of one that cannot, the age changes all the time.
type source struct {
	status    *status.Status
	promoted  promoted
	closed    string
	newer     string
	comparing bool
	levels    string // of the IOCs that are shown, and which are acknowledged: the time alone changes them too
}

func (b *Beamline) source() source {
	levels := make([]byte, 0, 2*len(b.Instances))
	for _, i := range b.Instances {
		known := byte(0)
		if i.Acknowledged != nil {
			known = 1
		}
		levels = append(levels, byte(i.Level), known)
	}
	return source{b.Status, b.promoted, strings.Join(b.Closed, "\n"), b.Newer, b.Comparing, string(levels)}
}

// render returns the beamline as it is shown, as it was before where it was made
// from the same.
func (b *Beamline) render(before shown) (shown, error) {
	from := b.source()
	if b.Failed == "" && b.Level == before.level && b.Standing == before.place && from == before.from {
		return before, nil
	}
	html, err := part("beamline", b)
	return shown{from, html, b.Level, b.Standing}, err
}

// stream sends what changes, as server-sent events, until the reader goes away.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, f Filter) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	v := &viewer{}
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	tick := time.NewTicker(ageEvery)
	defer tick.Stop()
	var sent time.Time
	for {
		_, _, changed := s.board.now()
		view := s.board.View(r.Context(), f, time.Now())
		var message *change
		if number, err := strconv.Atoi(after); err == nil && number == view.Number {
			v.know(view) // the page was made from this
		} else if message, err = v.update(view); err != nil {
			return
		}
		after = ""
		if message != nil {
			sent = time.Now()
			text, err := json.Marshal(message)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "id: %d\ndata: %s\n\n", view.Number, text)
		} else {
			fmt.Fprint(w, ": nothing new\n\n")
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
			wait(r.Context(), gatherFor-time.Since(sent)) // the first of several changes need not wait
		case <-tick.C:
		}
	}
}

// know notes that the reader's page shows a view already.
func (v *viewer) know(view *View) {
	v.shown = map[string]shown{}
	for _, line := range view.Beamlines {
		v.shown[line.ID] = shown{from: line.source(), level: line.Level, place: line.Standing}
	}
}

// update returns what changes on the reader's page, nil where nothing does.
func (v *viewer) update(view *View) (*change, error) {
	first := v.shown == nil
	next := map[string]shown{}
	c := &change{Changed: map[string]string{}}
	var news []string
	for _, line := range view.Beamlines {
		before, known := v.shown[line.ID]
		now, err := line.render(before)
		if err != nil {
			return nil, err
		}
		c.Order = append(c.Order, line.ID)
		next[line.ID] = now
		if !known || before.html != now.html {
			c.Changed[line.ID] = now.html
		}
		if !first && (!known || before.level != line.Level || before.place != line.Standing) {
			news = append(news, strings.TrimSuffix(
				fmt.Sprintf("%s is %s: %s", line.title(), line.Level, line.Why), ": ",
			))
		}
	}
	same := !first && len(c.Changed) == 0 && len(next) == len(v.shown)
	v.shown = next
	if same {
		return nil, nil
	}
	counts, err := part("counts", view)
	c.Counts, c.Said = counts, strings.Join(news, ". ")
	return c, err
}

func (b *Beamline) title() string {
	if b.Beamline == "" {
		return "cluster " + b.Context
	}
	return b.Beamline
}
