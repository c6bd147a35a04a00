package status

import (
	"time"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// Trouble returns what is wrong with an IOC at a time; false where it is well, or stopped
// on purpose.
func (i IOC) Trouble(now time.Time) (ledger.Trouble, bool) {
	level := i.Level(now)
	if level >= Stopped {
		return ledger.Trouble{}, false
	}
	return ledger.Trouble{
		State: level.String(), Doing: i.Doing, Version: i.Version, Restarts: i.Restarts, Ended: i.Ended,
		Drift: i.Drift, Pod: i.UID, Generation: i.generation, Turned: i.turned,
	}, true
}

// Settle leaves out an acknowledgement that does not hold at a time.
func (i *IOC) Settle(now time.Time) {
	if !i.known(now) {
		i.Acknowledged = nil
	}
}

// known reports whether somebody acknowledged what is wrong at a time.
func (i IOC) known(now time.Time) bool {
	trouble, wrong := i.Trouble(now)
	return wrong && i.Acknowledged != nil && i.Acknowledged.Holds(trouble, now)
}
