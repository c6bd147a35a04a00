package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Trouble is what is wrong with an IOC at one time: what a person sees of it, and what
// tells it from the next trouble that looks the same.
type Trouble struct {
	State    string   `json:"state"`           // "not ready", "restarted" or "drifted"
	Doing    string   `json:"doing,omitempty"` // one phrase, as status shows it
	Version  string   `json:"version,omitempty"`
	Restarts int      `json:"restarts,omitempty"`
	Ended    string   `json:"ended,omitempty"` // how the IOC last ended: "exit status 139"
	Drift    []string `json:"drift,omitempty"` // where the cluster differs from the release

	Pod        string    `json:"pod,omitempty"`        // its UID
	Generation int64     `json:"generation,omitempty"` // of the Deployment: another one asks for something else
	Turned     time.Time `json:"turned,omitzero"`      // when the IOC last became ready, or ceased to be
}

// Covers reports whether whoever knows of a trouble knows of what is wrong now: there
// is nothing new in it, and the IOC was not well in between. Differences that are gone
// are nothing new.
func (t Trouble) Covers(now Trouble) bool {
	return t.State == now.State && cause(t.Doing) == cause(now.Doing) && t.Version == now.Version &&
		t.Restarts >= now.Restarts && t.Ended == now.Ended && t.Pod == now.Pod &&
		t.Generation == now.Generation && t.Turned.Equal(now.Turned) &&
		!slices.ContainsFunc(now.Drift, func(d string) bool { return !slices.Contains(t.Drift, d) })
}

// cause returns what of a phrase stays the same while a trouble lasts: what follows the
// colon is a message of the cluster, which counts and times. A pod whose image cannot
// be pulled has one reason while it tries, and another while it waits.
func cause(doing string) string {
	reason, _, _ := strings.Cut(doing, ": ")
	if reason == "ErrImagePull" {
		return "ImagePullBackOff"
	}
	return reason
}

// String returns the trouble in one line: "not ready: ended 3 times, last with exit
// status 139".
func (t Trouble) String() string {
	switch {
	case t.State == "restarted" && t.Ended != "":
		return fmt.Sprintf("restarted, %d times in all, last after %s", t.Restarts, t.Ended)
	case t.State == "restarted":
		return fmt.Sprintf("restarted, %d times in all", t.Restarts)
	case t.State == "drifted":
		return "drifted: " + strings.Join(t.Drift, ", ")
	case t.Doing == "":
		return t.State
	}
	return t.State + ": " + t.Doing
}

// Acknowledgement says that somebody knows of an IOC's trouble. It holds for that
// trouble alone.
type Acknowledgement struct {
	Note
	Until   time.Time `json:"until"`
	Trouble Trouble   `json:"trouble"`
}

// Holds reports whether what is wrong at a time was acknowledged.
func (a Acknowledgement) Holds(trouble Trouble, now time.Time) bool {
	return now.Before(a.Until) && a.Trouble.Covers(trouble)
}

// String returns who acknowledged, until when and why.
func (a Acknowledgement) String() string {
	return fmt.Sprintf("acknowledged by %s until %s: %s", a.By, clock(a.Until), a.Reason)
}

// Entry returns what the history says of it.
func (a Acknowledgement) Entry(instance string) Entry {
	return Entry{
		Time: a.Since, By: a.By, Did: "acknowledge", Instance: instance, Reason: a.Reason,
		Trouble: a.Trouble.String(), Until: a.Until,
	}
}

// clock returns a time as people on shift read it.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }
