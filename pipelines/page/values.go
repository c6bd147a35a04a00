package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/channelaccess"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/pvs"
)

// PVs is what an IOC's own page shows of its PVs, where that was asked for.
type PVs struct {
	Pattern string    `json:"pv,omitempty"` // which were asked for; all where empty
	Of      int       `json:"of"`           // PVs that the IOC serves, as the tests of its release saw
	Found   int       `json:"found"`        // how many of them the pattern matches
	Page    int       `json:"page"`         // of pvsAtOnce PVs each, from 1
	Pages   int       `json:"pages"`
	Values  []Value   `json:"values"`
	Server  string    `json:"server,omitempty"` // "10.1.2.3:5064", which was asked
	Time    time.Time `json:"time,omitzero"`    // when it had answered
	Failed  string    `json:"failed,omitempty"` // why there are no values, for all of them
	Command string    `json:"command,omitempty"`
}

// Value is a PV as it was read, or why it could not be.
type Value struct {
	Name     string    `json:"name"`
	Type     string    `json:"type"` // the record type: "ai", "motor"
	Value    string    `json:"value"`
	Severity string    `json:"severity,omitempty"` // "NO_ALARM", "MINOR", "MAJOR", "INVALID"
	Alarm    string    `json:"alarm,omitempty"`    // its alarm status: "HIHI", "UDF"
	Time     time.Time `json:"time,omitzero"`      // of the value; zero where the record was never processed
	Failed   string    `json:"failed,omitempty"`
}

// wish is which PVs of an IOC are asked for.
type wish struct {
	pattern string // a regular expression that the whole name matches; all where empty
	page    int
}

// parseWish reads a wish from the parameters of an address; nil where nobody wants
// to see PVs. The error is of kind diag.Invalid.
func parseWish(values url.Values) (*wish, error) {
	refuse := func(fix string, err error) (*wish, error) {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading the page's address", Err: err, Fix: fix}
	}
	switch values.Get("pvs") {
	case "":
		return nil, nil
	case "now":
	default:
		return refuse("use pvs=now", fmt.Errorf("pvs is %q", values.Get("pvs")))
	}
	w := &wish{pattern: values.Get("pv"), page: 1}
	if _, err := regexp.Compile(w.pattern); err != nil {
		return refuse("name a PV, or give a regular expression that its whole name matches", err)
	}
	if page := values.Get("page"); page != "" {
		var err error
		if w.page, err = strconv.Atoi(page); err != nil || w.page < 1 {
			return refuse("use page=1 or more", fmt.Errorf("page is %q", page))
		}
	}
	return w, nil
}

// Address returns the address of another page of the same PVs.
func (p *PVs) Address(page int) string {
	values := url.Values{"pvs": {"now"}}
	if p.Pattern != "" {
		values.Set("pv", p.Pattern)
	}
	if page > 1 {
		values.Set("page", strconv.Itoa(page))
	}
	return "?" + values.Encode() + "#its-pvs"
}

// First returns the number of the first PV that is shown, of those that were found, from 1.
func (p *PVs) First() int { return min((p.Page-1)*pvsAtOnce+1, p.Found) }

// Last returns the number of the last one.
func (p *PVs) Last() int { return min(p.Page*pvsAtOnce, p.Found) }

// pvsOf reads the PVs that are wished for. Only names that the tests of the release
// saw at this IOC are asked, whatever the address of the page says.
func (b *Board) pvsOf(ctx context.Context, found reading, name string, w *wish) *PVs {
	shown := &PVs{Pattern: w.pattern, Values: []Value{}, Page: 1, Pages: 1}
	mine, of, err := b.served(ctx, found, name, w.pattern)
	if err != nil {
		shown.Failed = "Its PVs are not known: " + err.Error()
		return shown
	}
	shown.Of, shown.Found = of, len(mine)
	if len(mine) == 0 {
		return shown
	}
	shown.Pages = (len(mine) + pvsAtOnce - 1) / pvsAtOnce
	shown.Page = min(w.page, shown.Pages)
	mine = mine[shown.First()-1 : shown.Last()]
	names := make([]string, len(mine))
	for i, pv := range mine {
		names[i] = pv.Name
		shown.Values = append(shown.Values, Value{Name: pv.Name, Type: pv.Type})
	}
	said, err := b.asker.do(ctx, found.place.id()+"/"+name, names, func(ctx context.Context) asked {
		return b.askIOC(ctx, found, name, names)
	})
	if err != nil {
		said.failed = "They were not read: " + err.Error() + "."
	}
	shown.say(said)
	if shown.Failed != "" {
		shown.Command = findCommand(found, names)
	}
	return shown
}

// say fills in what an IOC said.
func (p *PVs) say(said asked) {
	p.Failed, p.Time = said.failed, said.time
	if said.server.IsValid() {
		p.Server = said.server.String()
	}
	for i, a := range said.answers {
		v := &p.Values[i]
		if a.Err != nil {
			v.Failed = a.Err.Error()
			continue
		}
		v.Value, v.Severity, v.Alarm, v.Time = a.Value, a.Severity, a.Alarm, a.Time
	}
}

// served returns the PVs of an IOC that a pattern matches, sorted by name, and how
// many it has in all, as the tests of the release that runs saw them.
func (b *Board) served(ctx context.Context, found reading, name, pattern string) ([]pvs.PV, int, error) {
	if found.status == nil || found.status.Record == "" {
		return nil, 0, errors.New("no release runs here")
	}
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	lines, err := b.lists.get(ctx, found)
	if err != nil {
		return nil, 0, err
	}
	all, err := pvs.Find(lines, []string{".*"})
	if err != nil {
		return nil, 0, err
	}
	mine := slices.DeleteFunc(all, func(pv pvs.PV) bool { return pv.Instance != name })
	of := len(mine)
	if pattern != "" {
		whole, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			return nil, 0, err
		}
		mine = slices.DeleteFunc(mine, func(pv pvs.PV) bool { return !whole.MatchString(pv.Name) })
	}
	slices.SortFunc(mine, func(a, b pvs.PV) int { return cmp.Compare(a.Name, b.Name) })
	return mine, of, nil
}

// askIOC finds out where an IOC is, and asks it there for PVs.
func (b *Board) askIOC(ctx context.Context, found reading, name string, names []string) (said asked) {
	find, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	states, err := pods.Instances(find, found.namespace, []string{name})
	if err != nil {
		said.failed = "It is not known where it is: " + err.Error() + "."
		return said
	}
	if states[0].Lost != "" {
		said.failed = "It is not asked: " + states[0].Doing + "."
		return said
	}
	if states[0].Since.IsZero() {
		said.failed = "It does not run: " + cmp.Or(states[0].Doing, "it has no pod") + "."
		return said
	}
	server, err := pods.CAServer(find, found.namespace, states[0])
	if err != nil {
		said.failed = "It is not known where it is: " + err.Error() + "."
		return said
	}
	said.server = server.Address
	ask, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	said.answers, err = b.asker.read(ask, server.Address, names)
	said.failed = whyNot(server, said.answers, err)
	return said
}

// whyNot returns why nothing was read; empty where something was.
func whyNot(server pods.Server, answers []channelaccess.Answer, err error) string {
	likely := "It may hang, serve pvAccess alone, or not be reachable from where this page runs."
	if server.PVA {
		likely = "It is asked over pvAccess, which this page does not speak, and may have no Channel Access at all."
	}
	if err != nil {
		return fmt.Sprintf("%s does not answer over Channel Access: %v. %s", server.Address, err, likely)
	}
	none := func(a channelaccess.Answer) bool { return !errors.Is(a.Err, channelaccess.ErrNotServed) }
	if !slices.ContainsFunc(answers, none) {
		return fmt.Sprintf(
			"%s serves none of them: another IOC of the node may answer there. %s", server.Address, likely,
		)
	}
	return ""
}

// findCommand returns the command that asks for PVs where the IOC is.
func findCommand(found reading, names []string) string {
	words := []string{"tagline", "find"}
	for _, name := range names {
		words = append(words, quote(regexp.QuoteMeta(name)))
	}
	if found.context != "" {
		words = append(words, "--context", quote(found.context))
	}
	return strings.Join(words, " ")
}
