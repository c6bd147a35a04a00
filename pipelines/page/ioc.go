package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diff/text"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/legible"
	"github.com/tagline-ci/tagline/pipelines/links"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/status"
)

const (
	logLines   = 200
	logWidth   = 2000 // characters of a line
	eventLines = 50
	askWithin  = 8 * time.Second
)

// Detail is what an IOC's own page shows. What could not be read is said in its
// place.
type Detail struct {
	Time     time.Time      `json:"time"`
	Beamline string         `json:"beamline"`
	IOC      *IOC           `json:"ioc"`
	Failed   string         `json:"failed,omitempty"` // why the state may be old
	Read     time.Time      `json:"read,omitzero"`
	Log      []string       `json:"log"`
	Former   []string       `json:"former,omitempty"` // the log of its run before the last restart
	Events   []string       `json:"events"`
	History  []ledger.Entry `json:"history"`
	Commands []string       `json:"commands"`
	Changed  *Changed       `json:"changed,omitempty"` // nil where nothing ran before
	Links    []Linked       `json:"links,omitempty"`   // to the site's own pages about it
	PVs      *PVs           `json:"pvs,omitempty"`     // nil where nobody asked for them
	Unread   []string       `json:"unread,omitempty"`  // what could not be read, and why
}

// Linked is the address of a page of the site's own about the IOC.
type Linked struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// linked returns the links of an IOC.
func (s *Server) linked(found reading, line *IOC) (all []Linked) {
	of := links.Of{
		Beamline: found.beamline, Namespace: found.namespace.Name, IOC: line.Name, Version: line.Version,
		Node: line.Node, Pod: line.Pod,
	}
	for _, l := range s.links {
		all = append(all, Linked{l.Name, l.For(of)})
	}
	return all
}

// Changed is how what an IOC runs differs from what it ran before.
type Changed struct {
	From  string   `json:"from"`  // the version of the beamline that it is compared with
	Lines []string `json:"lines"` // of the manifests: "-old" and "+new"
}

// changed compares what an IOC runs with what it ran before.
func changed(ctx context.Context, found reading, instance string) (*Changed, error) {
	now, former, err := helm.Changed(ctx, found.namespace, instance)
	if err != nil || now == nil {
		return nil, err
	}
	return &Changed{former.Version, text.Lines([]byte(former.Manifest), []byte(now.Manifest))}, nil
}

// ioc answers with the page of one IOC.
func (s *Server) ioc(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("instance")
	found, ok := s.board.find(r.PathValue("context"), r.PathValue("namespace"))
	var line *IOC
	if ok {
		for _, i := range found.show(time.Now()).Instances {
			if i.Name == name {
				line = i
			}
		}
	}
	if line == nil {
		fail(w, r, http.StatusNotFound, fmt.Errorf("there is no IOC %q here now", name))
		return
	}
	wished, err := parseWish(r.URL.Query())
	if err != nil {
		fail(w, r, http.StatusBadRequest, err)
		return
	}
	d := s.detail(r.Context(), found, line, wished)
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, d)
		return
	}
	answer(w, "ioc.html", d)
}

// detail asks the cluster for what the board does not hold, and the IOC for the PVs
// that are wished for.
func (s *Server) detail(ctx context.Context, found reading, line *IOC, w *wish) *Detail {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	d := &Detail{
		Time: time.Now(), Beamline: found.beamline, IOC: line, Failed: found.failed, Read: found.read,
		Commands: commands(found, line), Links: s.linked(found, line),
	}
	errs := make([]error, 4)
	var all sync.WaitGroup
	all.Go(func() { d.Log, d.Former, errs[0] = lastLines(ctx, found, line.Name) })
	all.Go(func() { d.Events, errs[1] = pods.Events(ctx, found.namespace, line.Pod, "", eventLines) })
	all.Go(func() { d.History, errs[2] = historyOf(ctx, found, line.Name) })
	all.Go(func() {
		d.Changed, errs[3] = changed(ctx, found, line.Name)
		if errors.Is(errs[3], context.DeadlineExceeded) {
			errs[3] = fmt.Errorf("reading what it ran before: %w", errs[3])
		}
	})
	if w != nil {
		all.Go(func() { d.PVs = s.board.pvsOf(ctx, found, line.Name, w) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			d.Unread = append(d.Unread, err.Error())
		}
	}
	return d
}

// lastLines returns the end of the IOC's log, and that of its run before the last
// restart, which has the reason why it ended.
func lastLines(ctx context.Context, found reading, instance string) (now, former []string, err error) {
	states, err := pods.Instances(ctx, found.namespace, []string{instance})
	if err != nil {
		return nil, nil, err
	}
	read := func(previous bool) (lines []string, err error) {
		err = pods.Logs(
			ctx, found.namespace, states, pods.LogOptions{Lines: logLines, Previous: previous},
			func(_, line string) {
				line = legible.Colour.ReplaceAllString(line, "")
				lines = append(lines, legible.Text(legible.Line(line, logWidth)))
			},
		)
		return lines, err
	}
	now, err = read(false)
	if states[0].Restarts > 0 {
		var none error
		former, none = read(true)
		err = errors.Join(err, none)
	}
	if slices.Equal(now, former) { // it waits to be started again, and has no run of its own yet
		former = nil
	}
	return now, former, err
}

// historyOf returns what was done to the IOC or to all of its beamline.
func historyOf(ctx context.Context, found reading, instance string) (mine []ledger.Entry, err error) {
	entries, err := ledger.Entries(ctx, found.namespace)
	for _, e := range entries {
		if e.Instance == "" || e.Instance == instance {
			mine = append(mine, e)
		}
	}
	return mine, err
}

// commands returns what a person may type about the IOC.
func commands(found reading, line *IOC) []string {
	access := ""
	if found.context != "" {
		access = " --context " + quote(found.context)
	}
	if found.namespace.Name != found.beamline {
		access += " --namespace " + quote(found.namespace.Name)
	}
	target := quote(found.beamline) + " " + quote(line.Name) + access
	all := []string{"tagline logs " + target + " --follow", "tagline console " + target}
	if line.Stopped != nil {
		all = append(all, "tagline start "+target+` --reason "…"`)
	} else {
		all = append(all, "tagline restart "+target+` --reason "…"`, "tagline stop "+target+` --reason "…"`)
	}
	switch {
	case line.Acknowledged != nil:
		all = append(all, "tagline acknowledge "+target+` --withdraw --reason "…"`)
	case line.Level < status.Stopped:
		all = append(all, "tagline acknowledge "+target+` --until 8h --reason "…"`)
	}
	return append(all, "tagline rollback "+quote(found.beamline)+access)
}

// quote returns a word as a shell reads it.
func quote(word string) string {
	plain := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@", r)
	}
	if word != "" && strings.IndexFunc(word, plain) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
