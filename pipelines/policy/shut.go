package policy

import (
	"fmt"
	"time"
)

// Shut returns why nothing may change at a time, or only with more approvals: a phrase for
// each closed time and hold, with when it ends where that is known. Nil where none is.
func (p *Policy) Shut(now time.Time) (all []string) {
	const minutes = "2006-01-02 15:04 MST"
	for _, w := range p.Closed {
		until, in := w.In(now)
		if !in {
			continue
		}
		text := fmt.Sprintf("%s until %s", w.Why, until.UTC().Format(minutes))
		if w.Approvals > 0 {
			text += fmt.Sprintf(", or with %d approvals", w.Approvals)
		}
		all = append(all, text)
	}
	for _, h := range p.Holds {
		switch until, err := h.Until.Time(); {
		case h.Ended(now):
		case err != nil:
			all = append(all, h.Why)
		default:
			all = append(all, fmt.Sprintf("%s until %s", h.Why, until.UTC().Format(minutes)))
		}
	}
	return all
}
