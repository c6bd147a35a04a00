package page

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/status"
)

// View is what one address of the page shows at one time.
type View struct {
	Time      time.Time   `json:"time"`
	Total     Counts      `json:"total"` // whatever the filter leaves out
	Beamlines []*Beamline `json:"beamlines"`
	Notes     []string    `json:"notes,omitempty"` // what the filter could not look into

	Filter Filter `json:"-"`
	Number int    `json:"-"` // of the changes that it knows
}

// Counts holds how many IOCs there are of each state. Those of a beamline that
// could not be read are not read, and so is a cluster, as one.
type Counts map[status.Level]int

// Beamline is a beamline as the page shows it, or a cluster that could not be
// read, which has no name.
type Beamline struct {
	Context string        `json:"context"` // of the kubeconfig
	Level   status.Level  `json:"level"`
	Why     string        `json:"why,omitempty"` // what is worst, in one phrase
	Read    time.Time     `json:"read,omitzero"` // when it was last known to be so
	Failed  string        `json:"failed,omitempty"`
	Age     time.Duration `json:"-"`

	promoted // how what runs came to run

	// Closed says why nothing may change now: closed times and holds of the policy.
	Closed []string `json:"closed,omitempty"`
	// Newer names the releases that are newer than what runs, or says why none are known.
	Newer string `json:"newer,omitempty"`
	// Soaking is since when all IOCs run as they are; zero while one does not.
	Soaking time.Time `json:"soaking,omitzero"`

	Standing status.Standing `json:"-"` // its place among the beamlines

	// Comparing is set while some IOCs were not compared with their release yet.
	Comparing bool `json:"comparing,omitempty"`

	Ready int `json:"ready"` // IOCs, whatever the filter leaves out
	Of    int `json:"of"`

	*status.Status
	Beamline  string `json:"beamline,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Instances []*IOC `json:"instances"`

	ID string `json:"-"`
}

// IOC is a row of the page.
type IOC struct {
	status.IOC
	Level status.Level `json:"level"`
}

// standing returns the IOC's place among the others.
func (i *IOC) standing() status.Standing {
	return status.Standing{Level: i.Level, Acknowledged: i.Acknowledged != nil}
}

// text is what a text filter searches.
func (i *IOC) text(beamline string) string {
	return strings.Join(append([]string{
		beamline, i.Name, i.Level.String(), i.Version, i.IOC.IOC, i.Digest, i.Node, i.Doing, i.Ended, i.Moved, i.Pod,
	}, i.Notes()...), "\n")
}

// Notes returns what a person should know about the IOC.
func (i *IOC) Notes() (notes []string) {
	if i.Acknowledged != nil {
		notes = append(notes, i.Acknowledged.String())
	}
	if i.Level != status.Well && i.Doing != "ready" && i.Doing != "" {
		notes = append(notes, i.Doing)
	}
	if i.Moved != "" {
		notes = append(notes, "moved to node "+i.Moved)
	}
	for _, d := range i.Drift {
		notes = append(notes, "differs from the release: "+d)
	}
	return notes
}

// View returns what a filter shows at a time.
func (b *Board) View(ctx context.Context, f Filter, now time.Time) *View {
	all, number, _ := b.now()
	v := &View{Time: now, Filter: f, Number: number, Total: Counts{}, Beamlines: []*Beamline{}}
	serves := func(string) func(string) bool { return nil }
	if f.pv != nil {
		serves, v.Notes = b.servers(ctx, f, all)
	}
	for _, r := range all {
		line := r.show(now)
		v.Total.add(line)
		if line.narrow(f, serves(r.place.id())) {
			v.Beamlines = append(v.Beamlines, line)
		}
	}
	slices.SortFunc(v.Beamlines, func(a, b *Beamline) int { return a.compare(b, f) })
	return v
}

func (c Counts) add(line *Beamline) {
	if line.Failed != "" {
		c[status.Unread] += max(1, len(line.Instances))
		return
	}
	for _, i := range line.Instances {
		c[i.Level]++
	}
}

// show returns a reading as the page shows it, whole.
func (r reading) show(now time.Time) *Beamline {
	line := &Beamline{
		ID: r.place.id(), Context: r.context, Beamline: r.beamline, Failed: r.failed, Read: r.read,
		promoted: r.promoted, Newer: r.newer, Comparing: r.comparing, Status: r.status, Instances: []*IOC{},
	}
	if r.namespace != nil {
		line.Namespace = r.namespace.Name
	}
	if r.status != nil {
		line.Age = now.Sub(r.read)
		line.Level, line.Standing = r.status.Level(now), r.status.Standing(now)
		line.Ready, line.Of = r.status.Ready(), len(r.status.Instances)
		line.Why = status.Row{Level: line.Level, Status: r.status}.Why(now)
		for _, i := range r.status.Instances {
			i.Settle(now)
			line.Instances = append(line.Instances, &IOC{i, i.Level(now)})
		}
		line.Soaking = soaking(line.Instances)
	}
	if r.rules.policy != nil {
		line.Closed = r.rules.policy.Shut(now)
	}
	if r.failed != "" {
		line.Level, line.Standing, line.Why = status.Unread, status.Standing{Level: status.Unread}, r.failed
	}
	return line
}

// soaking returns since when all IOCs run as they are: from the last start of one. It is
// zero while one that is to run is not ready, and without any.
func soaking(all []*IOC) (since time.Time) {
	for _, i := range all {
		switch {
		case i.Stopped != nil:
		case !i.Ready:
			return time.Time{}
		case i.Since.After(since):
			since = i.Since
		}
	}
	return since
}

// narrow leaves out the IOCs that the filter does not want, and reports whether
// the beamline is shown: one that could not be read is, because what the filter
// wants may be in what could not be read.
func (b *Beamline) narrow(f Filter, serves func(string) bool) bool {
	if !f.wantsBeamline(b.Beamline) {
		return false
	}
	b.Instances = slices.DeleteFunc(b.Instances, func(i *IOC) bool { return !f.wants(i, b, serves) })
	slices.SortFunc(b.Instances, f.compare)
	return len(b.Instances) > 0 || b.Failed != "" || !f.picksIOCs() || slices.Contains(f.states, b.Level)
}

// compare orders beamlines: those that could not be read, then the worst, or as
// their first IOCs are ordered.
func (b *Beamline) compare(other *Beamline, f Filter) int {
	readable := func(b *Beamline) int { return cmp.Compare(len(b.Failed), 0) }
	order := cmp.Compare(readable(other), readable(b))
	if f.sort == "state" {
		worst := b.Standing.Compare(other.Standing)
		if f.down {
			worst = -worst
		}
		order = cmp.Or(order, worst)
	} else if len(b.Instances) > 0 && len(other.Instances) > 0 {
		order = cmp.Or(order, f.compare(b.Instances[0], other.Instances[0]))
	}
	return cmp.Or(
		order, cmp.Compare(b.Beamline, other.Beamline), cmp.Compare(b.Context, other.Context),
		cmp.Compare(b.ID, other.ID),
	)
}
