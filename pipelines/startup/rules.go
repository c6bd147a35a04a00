package startup

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// DefaultWithin is the time that an IOC has to start where nothing else is said.
const DefaultWithin = 2 * time.Minute

// withinPattern is how a time to start is written: ioc-run reads the same.
const withinPattern = `^[1-9][0-9]{0,4}[smh]$`

// Rules are how the start of an IOC is judged, beside what holds for all: the key
// startup of a recipe or an instance.
type Rules struct {
	Within string    `json:"within,omitempty" jsonschema_description:"The time from the start until the start-up script has ended and the probe PV answers: 90s, 3m. 2m when left out."`
	Allow  []Pattern `json:"allow,omitempty" jsonschema_description:"Lines of the start-up log that are judged more mildly: a fault becomes a note, a note is left out."`
	Refuse []Pattern `json:"refuse,omitempty" jsonschema_description:"Lines of the start-up log that are faults."`
}

// Pattern picks lines of a start-up log.
type Pattern struct {
	Line string `json:"line" jsonschema_description:"A regular expression (RE2) that is found in the line."`
	Why  string `json:"why" jsonschema_description:"The reason, for whoever reads it in a year."`
}

// Duration returns the time to start.
func (r Rules) Duration() time.Duration {
	if r.Within == "" {
		return DefaultWithin
	}
	d, err := time.ParseDuration(r.Within)
	if err != nil {
		return DefaultWithin // the schema refuses what is no time
	}
	return d
}

// Label is the label of a runtime image that holds the rules of its recipe, as
// String writes them: an instance is judged by the image that it runs.
const Label = "tagline.startup"

// String writes the rules as JSON.
func (r Rules) String() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // plain data
	}
	return string(text)
}

// ParseRules reads what String has written; nothing is no rules.
func ParseRules(text string) (Rules, error) {
	var r Rules
	if text == "" {
		return r, nil
	}
	err := json.Unmarshal([]byte(text), &r)
	return r, err
}

// Over returns these rules with those of an instance over them: its patterns are
// looked at first, and its time to start counts.
func (r Rules) Over(below Rules) Rules {
	within := r.Within
	if within == "" {
		within = below.Within
	}
	return Rules{
		Within: within,
		Allow:  append(append([]Pattern{}, r.Allow...), below.Allow...),
		Refuse: append(append([]Pattern{}, r.Refuse...), below.Refuse...),
	}
}

// Check returns what is wrong with the rules that a file has at path, a
// *diag.Error each.
func (r Rules) Check(doc *strictyaml.Doc, path strictyaml.Path) []error {
	var faults []error
	add := func(fix, format string, args []any, keys ...any) {
		where := append(append(strictyaml.Path{}, path...), keys...)
		faults = append(faults, doc.Faultf(where, fix, format, args...))
	}
	if r.Within != "" && !regexp.MustCompile(withinPattern).MatchString(r.Within) {
		add("write it as in 90s, 3m or 1h", "%q is no time to start", []any{r.Within}, "within")
	}
	for _, list := range []struct {
		key      string
		patterns []Pattern
	}{{"allow", r.Allow}, {"refuse", r.Refuse}} {
		for i, p := range list.patterns {
			if _, err := regexp.Compile(p.Line); err != nil || p.Line == "" {
				why := fmt.Sprint(err)
				if err == nil {
					why = "it is empty, and would pick every line"
				}
				add("write a regular expression of RE2", "%q: %s", []any{p.Line, why}, list.key, i, "line")
			}
			if p.Why == "" {
				add("add why", "the pattern %q has no reason", []any{p.Line}, list.key, i)
			}
		}
	}
	return faults
}
