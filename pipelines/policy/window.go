package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // zones where the machine has none

	"github.com/invopop/jsonschema"
	"github.com/teambition/rrule-go"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Window is a time in which nothing may change, once or again and again.
type Window struct {
	Why    string   `json:"why" jsonschema:"minLength=1,example=beam time" jsonschema_description:"The reason, for whoever is stopped by it."`
	Start  Local    `json:"start" jsonschema_description:"When it begins the first time, by the clock on the wall."`
	Zone   string   `json:"zone" jsonschema:"minLength=1,example=Europe/London" jsonschema_description:"The time zone of that clock."`
	For    Duration `json:"for" jsonschema_description:"How long it lasts."`
	Repeat string   `json:"repeat,omitempty" jsonschema:"minLength=1,example=FREQ=WEEKLY;BYDAY=MO" jsonschema_description:"When it begins again: a recurrence rule of RFC 5545. Left out: never."`
	// Approvals is with how many approvals a change is possible all the same; 0
	// for none.
	Approvals int `json:"approvals,omitempty" jsonschema:"minimum=1,maximum=20,example=2" jsonschema_description:"With how many approvals something may change all the same. Left out: nothing may."`
}

// earliest is the first year in which a window may begin: occurrences are
// counted from there.
const earliest = 2000

// check reports why a window can't be read.
func (w Window) check() error {
	if w.Start == "" || w.Zone == "" || w.For == "" {
		return nil // the schema says so
	}
	length, err := w.For.Duration()
	if err != nil {
		return nil // the schema says so
	}
	if length <= 0 {
		return errors.New("for is no time at all")
	}
	_, err = w.rule()
	return err
}

// rule returns the window's beginnings.
func (w Window) rule() (*rrule.RRule, error) {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil || w.Zone == "Local" {
		return nil, fmt.Errorf("%q is no time zone", w.Zone)
	}
	start, err := time.ParseInLocation(localForm, string(w.Start), zone)
	if err != nil || start.Year() < earliest {
		return nil, fmt.Errorf("start: %q is no time after %d", w.Start, earliest)
	}
	text := w.Repeat
	if text == "" {
		text = "FREQ=DAILY;COUNT=1"
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return nil, fmt.Errorf("repeat: %w", err)
	}
	if option.Freq == rrule.SECONDLY || option.Freq == rrule.MINUTELY {
		return nil, errors.New("repeat: windows begin at most once an hour")
	}
	if option.Freq == rrule.HOURLY && !meetsHour(start.Hour(), option) {
		return nil, errors.New("repeat: counted from start it comes to none of the hours of BYHOUR")
	}
	if !option.Dtstart.IsZero() {
		return nil, errors.New("repeat: it begins at start, so DTSTART does not belong here")
	}
	option.Dtstart = start
	return rrule.NewRRule(*option)
}

// meetsHour reports whether a rule of hours comes to one of those that it is for; it
// would be looked for without end.
func meetsHour(start int, rule *rrule.ROption) bool {
	for times := range 24 {
		if slices.Contains(rule.Byhour, (start+times*(max(rule.Interval, 1)%24))%24) {
			return true
		}
	}
	return len(rule.Byhour) == 0
}

// In reports whether the window is open at now, and until when it is. It begins at its
// start, also where the rule has no beginning there: RFC 5545 leaves open what that means.
func (w Window) In(now time.Time) (until time.Time, in bool) {
	rule, err := w.rule()
	if err != nil {
		return time.Time{}, false // Read refuses it
	}
	length, err := w.For.Duration()
	if err != nil {
		return time.Time{}, false // the schema refuses it
	}
	start := rule.OrigOptions.Dtstart
	now = now.In(start.Location())
	for _, at := range []time.Time{now, again(now)} {
		began := rule.Before(at, true)
		if began.IsZero() {
			began = start
		}
		if end := ends(began, length); !now.Before(first(began)) && now.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

// A clock that is set back shows some times twice, and of a beginning then the rule has
// but one: the window is open from the first, and until the last end that it can have.

// shift is more than any clock is set back.
const shift = 3 * time.Hour

// again returns when the clock shows a second time what it shows at t; t where it does not.
func again(t time.Time) time.Time { return twin(t, t.Add(shift)) }

// first returns when the clock shows the first time what it shows at t.
func first(t time.Time) time.Time { return twin(t, t.Add(-shift)) }

// twin returns when the clock shows what it shows at t, as it is set at another time.
func twin(t, other time.Time) time.Time {
	_, here := t.Zone()
	_, there := other.Zone()
	if found := t.Add(time.Duration(here-there) * time.Second); found.Format(localForm) == t.Format(localForm) {
		return found
	}
	return t
}

// ends returns when a window ends that began: after its length, and not before the clock
// on the wall has gone on by as much.
func ends(began time.Time, length time.Duration) time.Time {
	wall := time.Date(
		began.Year(), began.Month(), began.Day(), began.Hour(), began.Minute(), 0, 0, time.UTC,
	).Add(length)
	end := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, began.Location())
	if after := began.Add(length); after.After(end) {
		return after
	}
	return end
}

// localForm is how people write a time by the clock on the wall.
const localForm = "2006-01-02T15:04"

// Local is a time by the clock on the wall: "2026-11-30T09:00".
type Local string

// JSONSchema describes such a time.
func (Local) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("time", `^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]$`, "2026-11-30T09:00")
}

// Time is a time of one zone: "2026-11-30T09:00:00Z".
type Time string

// Time returns the time.
func (t Time) Time() (time.Time, error) { return time.Parse(time.RFC3339, string(t)) }

// JSONSchema describes such a time.
func (Time) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("time", `^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$`, "2026-11-30T09:00:00Z")
}

// Duration is a length of time in hours or minutes: "48h", "90m".
type Duration string

// Duration returns the length; 0 for none.
func (d Duration) Duration() (time.Duration, error) {
	if d == "" {
		return 0, nil
	}
	return time.ParseDuration(string(d))
}

// JSONSchema describes such a length.
func (Duration) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("length of time", `^[1-9][0-9]{0,4}[hm]$`, "48h")
}

// Watch is a short length of time in minutes or seconds: "2m", "90s".
type Watch string

// Duration returns the length.
func (w Watch) Duration() (time.Duration, error) { return time.ParseDuration(string(w)) }

// JSONSchema describes such a length.
func (Watch) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("short length of time", `^[1-9][0-9]?[ms]$`, "2m")
}
