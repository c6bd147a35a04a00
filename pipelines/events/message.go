package events

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// kind is how the types of events begin; what was done follows: "promote", "stop".
const kind = "io.github.tagline-ci."

// message is an event as it is sent.
type message struct {
	id   string // the same each time that it is sent
	body []byte // a CloudEvent as JSON
}

// content is the data of an event.
type content struct {
	Text      string `json:"text"` // a sentence for people
	Beamline  string `json:"beamline"`
	Namespace string `json:"namespace"`
	Deed
}

// messages returns the events of deeds, in their order: CloudEvents 1.0, in structured
// mode.
func messages(n *cluster.Namespace, deeds []Deed) (all []message, err error) {
	for _, d := range deeds {
		e := event.New()
		e.SetID(rand.Text())
		e.SetSource("/beamlines/" + n.Beamline)
		e.SetType(kind + d.Did)
		e.SetTime(d.Time)
		if about := cmp.Or(d.Instance, d.Version); about != "" {
			e.SetSubject(about)
		}
		data := content{Text: sentence(n.Beamline, d), Beamline: n.Beamline, Namespace: n.Name, Deed: d}
		if err := e.SetData(event.ApplicationJSON, data); err != nil {
			return nil, err
		}
		if err := e.Validate(); err != nil {
			return nil, err
		}
		body, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		all = append(all, message{id: e.ID(), body: body})
	}
	return all, nil
}

// past is what was done, as a sentence has it.
var past = map[string]string{
	"promote": "promoted", "rollback": "rolled back to", "stop": "stopped", "start": "started",
	"restart": "restarted", "move": "moved", "remove": "removed", "acknowledge": "acknowledged",
}

// sentence returns a deed in one line: "bl01t: 2026.11.2 promoted by ajp on ws012, 3 IOCs
// changed, 1 new, verified 2m".
func sentence(beamline string, d Deed) string {
	what := "all IOCs"
	switch {
	case d.Instance != "":
		what = d.Instance
	case d.Did == "promote" || d.Did == "rollback":
		what = cmp.Or(d.Version, "nothing")
	}
	who, _, _ := strings.Cut(d.By, ", process ")
	parts := []string{fmt.Sprintf("%s: %s %s by %s", beamline, what, past[d.Did], who)}
	switch {
	case d.Did == "rollback":
		parts[0] = fmt.Sprintf("%s: rolled back to %s by %s", beamline, what, who)
	case d.Did == "withdraw":
		parts[0] = fmt.Sprintf("%s: acknowledgement of %s withdrawn by %s", beamline, what, who)
	case past[d.Did] == "":
		parts[0] = fmt.Sprintf("%s: %s %s by %s", beamline, d.Did, what, who)
	}
	if d.Failed != "" {
		parts[0] = fmt.Sprintf("%s: %s of %s by %s failed: %s", beamline, d.Did, what, who, line(d.Failed))
	}
	parts = append(parts, counts(d.IOCs)...)
	if d.Verified != "" {
		parts = append(parts, line(d.Verified))
	}
	if d.Trouble != "" {
		parts = append(parts, line(d.Trouble))
	}
	if d.Override != "" {
		parts = append(parts, "the policy was overridden by "+line(d.Override))
	}
	text := strings.Join(parts, ", ")
	if d.Reason != "" {
		text += ": " + line(d.Reason)
	}
	return text
}

// counts returns how many IOCs were changed, are new, are stopped and were removed.
func counts(iocs []IOC) (parts []string) {
	number := map[string]int{}
	for _, ioc := range iocs {
		number[ioc.Did]++
	}
	if n := number["restarted"]; n == 1 {
		parts = append(parts, "1 IOC changed")
	} else if n > 1 {
		parts = append(parts, fmt.Sprintf("%d IOCs changed", n))
	}
	for _, c := range []struct{ did, words string }{
		{"started", "new"}, {"stopped", "stopped"}, {"removed", "removed"},
	} {
		if n := number[c.did]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.words))
		}
	}
	return parts
}

// line returns the first line of a text.
func line(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	return text
}
