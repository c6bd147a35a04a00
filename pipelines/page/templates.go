package page

import (
	"bytes"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/tagline-ci/tagline/pipelines/legible"
	"github.com/tagline-ci/tagline/pipelines/status"
)

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"mark":    mark,
	"class":   class,
	"alarm":   func(severity string) alarm { return alarms[severity] },
	"add":     func(a, b int) int { return a + b },
	"levels":  func() []status.Level { return levels },
	"columns": func() []heading { return headings },
	"ioc":     iocPath,
	"age":     func(d time.Duration) string { return duration.HumanDuration(d) },
	"clock":   func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") },
	"minute":  func(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") },
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"pair":    func(line *Beamline, i *IOC) row { return row{line, i} },
}).ParseFS(files, "*.html"))

// row is an IOC and the beamline that it belongs to.
type row struct {
	Line *Beamline
	IOC  *IOC
}

// heading is a column of the table. Those without a Key cannot be sorted by.
type heading struct{ Key, Text string }

var headings = []heading{
	{"name", "IOC"}, {"state", "State"}, {"version", "Version"}, {"generic", "Generic IOC"}, {"", "Image"},
	{"node", "Node"},
	{"restarts", "Restarts"}, {"since", "Running since"}, {"", "Notes"},
}

// mark returns the shape that shows a level beside its words and its colour.
func mark(l status.Level) string {
	return [...]string{"?", "✖", "▲", "◆", "○", "■", "✔"}[l]
}

// class returns the name of a level in the style sheet.
func class(l status.Level) string { return "is-" + strings.ReplaceAll(l.String(), " ", "-") }

// alarm is how a severity of EPICS looks, beside its name.
type alarm struct{ Mark, Class string }

// alarms are those that there are; another has no looks.
var alarms = map[string]alarm{
	"NO_ALARM": {"✔", "is-no-alarm"}, "MINOR": {"▲", "is-minor"}, "MAJOR": {"✖", "is-major"},
	"INVALID": {"?", "is-invalid"},
}

// part renders one named part of the page, or a whole one. What others wrote steers
// nothing, neither here nor where somebody pastes it.
func part(name string, data any) (string, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, name, data)
	return legible.Text(b.String()), err
}

// answer writes a whole page.
func answer(w http.ResponseWriter, name string, data any) {
	text, err := part(name, data)
	if err != nil { // a fault of the template, which its test would have found
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, text) // the reader went away
}
