package smoke

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

//go:embed ask.sh
var askScript string

// client asks one running IOC.
type client struct {
	container *dagger.Container
	questions int
}

// ask starts the IOC as a service and puts every check to it. A fault of the
// IOC goes into result; the error is of the engine.
func (t Tester) ask(ctx context.Context, s Subject, result *record.Test) (err error) {
	service, err := t.service(s).Start(ctx)
	if err != nil {
		return engine.Explain(err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		service.Stop(stop)
	}()
	c := &client{container: s.Clients.WithServiceBinding("ioc", service).
		WithEnvVariable("EPICS_CA_ADDR_LIST", "ioc").WithEnvVariable("EPICS_CA_AUTO_ADDR_LIST", "NO").
		WithEnvVariable("EPICS_CA_SERVER_PORT", strconv.Itoa(s.caPort())).
		WithEnvVariable("EPICS_PVA_BROADCAST_PORT", strconv.Itoa(s.pvaPort())).
		WithEnvVariable("EPICS_PVA_ADDR_LIST", "ioc").WithEnvVariable("EPICS_PVA_AUTO_ADDR_LIST", "NO").
		WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano))}
	for _, round := range rounds(s.Checks) {
		if err := c.round(ctx, s, round, result); err != nil {
			return err
		}
	}
	return nil
}

// rounds groups checks that can be read at the same time: a put is a round of
// its own, in the file's order.
func rounds(checks []recipe.Check) [][]recipe.Check {
	var all [][]recipe.Check
	open := false
	for _, ch := range checks {
		if ch.Put != nil || !open {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], ch)
		open = ch.Put == nil
	}
	return all
}

// round puts, if the round is a put, and reads until every check holds over
// both protocols or its time is over.
func (c *client) round(ctx context.Context, s Subject, checks []recipe.Check, result *record.Test) error {
	var pv, put string
	if checks[0].Put != nil {
		pv, put = checks[0].PV, *checks[0].Put
	}
	start := time.Now()
	firsts := map[string]string{}
	for {
		values, refused, err := c.ask(ctx, pv, put, checks)
		if err != nil {
			return err
		}
		if refused != "" {
			result.Faults = append(result.Faults, fault(s, checks[0], "cannot be written: "+refused))
			return nil
		}
		pv = "" // once
		open := false
		var faults, evidence []string
		for _, proto := range s.protocols() {
			for _, ch := range checks {
				name := target(ch)
				value, ok := values[proto][name]
				key := proto + " " + name
				if _, seen := firsts[key]; !seen && ok {
					firsts[key] = value
				}
				if why := judge(ch, value, ok, firsts[key]); why != "" {
					faults = append(faults, fault(s, ch, why+" over "+proto))
					open = open || time.Since(start) < within(ch)
				} else {
					evidence = append(evidence, fmt.Sprintf("%s %s (%s)", name, held(ch), proto))
				}
			}
		}
		if len(faults) == 0 || !open {
			result.Faults = append(result.Faults, faults...)
			result.Evidence = append(result.Evidence, evidence...)
			return ctx.Err()
		}
	}
}

func fault(s Subject, ch recipe.Check, why string) string {
	return fmt.Sprintf("%s:%d: %s: %s %s", s.File, ch.Line, s.Name, target(ch), why)
}

// target is the PV a check reads.
func target(ch recipe.Check) string {
	if ch.Reads != "" {
		return ch.Reads
	}
	return ch.PV
}

func within(ch recipe.Check) time.Duration {
	if ch.Within > 0 {
		return time.Duration(ch.Within * float64(time.Second))
	}
	return 10 * time.Second
}

// judge says what is wrong with a value, or nothing.
func judge(ch recipe.Check, value string, ok bool, before string) string {
	if !ok {
		return "is not served"
	}
	if ch.Value != nil && !same(value, *ch.Value) {
		return fmt.Sprintf("is %s, not %s,", value, *ch.Value)
	}
	if ch.Advances && value == before {
		return fmt.Sprintf("stays at %s", value)
	}
	if ch.Min == nil && ch.Max == nil {
		return ""
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return fmt.Sprintf("is %q, not a number,", value)
	case ch.Min != nil && n < *ch.Min:
		return fmt.Sprintf("is %s, below %g,", value, *ch.Min)
	case ch.Max != nil && n > *ch.Max:
		return fmt.Sprintf("is %s, above %g,", value, *ch.Max)
	}
	return ""
}

// held says what a check that passed has shown. It says the rule and not the
// value: two runs of one release must leave the same record.
func held(ch recipe.Check) string {
	var shown []string
	if ch.Value != nil {
		shown = append(shown, "is "+*ch.Value)
	}
	if ch.Advances {
		shown = append(shown, "advances")
	}
	if ch.Min != nil {
		shown = append(shown, fmt.Sprintf("is at least %g", *ch.Min))
	}
	if ch.Max != nil {
		shown = append(shown, fmt.Sprintf("is at most %g", *ch.Max))
	}
	if shown == nil {
		return "is served"
	}
	return strings.Join(shown, ", ")
}

// same compares as numbers where both are, so that 5 is 5.000.
func same(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil {
		return x == y
	}
	return a == b
}

// ask writes to a PV, unless it is empty, and returns the values of all checks'
// PVs that answer, by protocol and name; or why the value was not written. It is
// one command: to start one takes longer than to ask.
func (c *client) ask(ctx context.Context, pv, value string,
	checks []recipe.Check) (values map[string]map[string]string, refused string, err error) {
	names := map[string]bool{}
	for _, ch := range checks {
		names[target(ch)] = true
	}
	c.questions++
	args := append([]string{"sh", "-c", askScript, "ask.sh", pv, value}, slices.Sorted(maps.Keys(names))...)
	done := c.container.WithEnvVariable("TAGLINE_ASKED", strconv.Itoa(c.questions)).
		WithExec(args, dagger.ContainerWithExecOpts{Expect: dagger.ReturnTypeAny})
	out, err := done.Stdout(ctx)
	if err != nil {
		return nil, "", engine.Explain(err)
	}
	ca, pva, ok := strings.Cut(out, "@pva\n")
	if !ok {
		return nil, cmp.Or(strings.TrimSpace(out), "caput failed"), nil
	}
	return map[string]map[string]string{"ca": readCaget(ca), "pva": readPvget(pva)}, "", nil
}

// readCaget reads lines of "name<TAB>value".
func readCaget(out string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if ok && !strings.HasPrefix(value, "***") {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return values
}

// readPvget reads lines of "name {value:…,alarm:{…},…}": the normative types as
// pvget -M json prints them, which is JSON but for keys without quotes.
func readPvget(out string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		name, rest, _ := strings.Cut(line, " ")
		text, ok := strings.CutPrefix(strings.TrimSpace(rest), "{value:")
		if !ok {
			continue
		}
		if value, ok := readValue(text); ok {
			values[name] = value
		}
	}
	return values
}

var enumValue = regexp.MustCompile(`^\{index:(\d+),choices:`)

// readValue reads the value that text begins with: a choice's name, a string's
// text, or a number or array as it is printed.
func readValue(text string) (string, bool) {
	if m := enumValue.FindStringSubmatch(text); m != nil {
		var choices []string
		i, _ := strconv.Atoi(m[1])
		err := json.NewDecoder(strings.NewReader(text[len(m[0]):])).Decode(&choices)
		if err != nil || i >= len(choices) {
			return m[1], true
		}
		return choices[i], true
	}
	var value json.RawMessage
	if json.NewDecoder(strings.NewReader(text)).Decode(&value) != nil {
		plain, _, ok := strings.Cut(text, ",") // NaN and Infinity are no JSON
		return plain, ok
	}
	var str string
	if json.Unmarshal(value, &str) == nil {
		return str, true
	}
	return string(value), true
}
