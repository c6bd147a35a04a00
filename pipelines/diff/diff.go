// Package diff compares two releases of an asset: images, sources, start-up
// scripts, values and PVs.
package diff

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Release is a release and the tree it was made from.
type Release struct {
	Record *record.Record
	Files  fs.FS // at the record's commit
	// Needs is by instance what its chart needs beyond an IOC, as chart.Needs says.
	Needs map[string][]string
}

// Diff is what differs in a newer release.
type Diff struct {
	Asset    asset.Name    `json:"asset"`
	Kind     asset.Kind    `json:"kind"`
	From     asset.Version `json:"from"`               // versions, as in the tags
	To       asset.Version `json:"to"`                 //
	Beamline []Change      `json:"beamline,omitempty"` // namespace and gate, by name
	// released images it is built on or runs, as "version digest", several with commas between
	Parents []Change `json:"parents,omitempty"`
	Sources []Change `json:"sources,omitempty"` // support modules built, as "ref at commit"
	// of an image's or chart's folder; of a beamline the library chart's
	Files     []File     `json:"files,omitempty"`
	Instances []Instance `json:"instances,omitempty"` // of a beamline, by name
	PVs       []PV       `json:"pvs,omitempty"`       // by name
	Notes     []Note     `json:"notes,omitempty"`     // that starts did not leave before, in the tests' order
}

// Change is a thing with another value. Old is empty when it appears, New when it
// disappears.
type Change struct {
	Name string `json:"name"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Instance is an IOC instance that differs.
type Instance struct {
	Name   string   `json:"name"`
	State  State    `json:"state"`
	Image  *Change  `json:"image,omitempty"`  // the generic IOC's pin, or the image of a service by digest
	Boot   string   `json:"boot,omitempty"`   // of a service: that it passed, or why there was none
	Values []Change `json:"values,omitempty"` // by key, the beamline's overlaid by its own
	// of config/: st.cmd and others; and of a chart of its own: templates/x.yaml
	Files []File `json:"files,omitempty"`
	// what its chart needs beyond an IOC: "kind Service"; Old or New is "needed"
	Needs []Change `json:"needs,omitempty"`
}

// State is the way in which a thing differs.
type State string

// The ways to differ.
const (
	Appears    State = "appears"
	Disappears State = "disappears"
	Changes    State = "changes"
)

// File is a file that differs, with the lines that do.
type File struct {
	Name  string   `json:"name"`
	State State    `json:"state"`
	Lines []string `json:"lines,omitempty"` // "-old" and "+new"; none for a file that is no text
}

// PV is a process variable that appears, disappears, changes its record type, or
// is served by another IOC. Fields that do not apply are empty.
type PV struct {
	Name    string `json:"name"`
	OldType string `json:"oldType,omitempty"`
	NewType string `json:"newType,omitempty"`
	OldIOC  string `json:"oldIOC,omitempty"` // the instance or image that served it
	NewIOC  string `json:"newIOC,omitempty"`
}

// Note is what a driver or module printed at the start of an image's IOC or an
// instance, that is no fault.
type Note struct {
	Of   string `json:"of"`   // the image or instance
	Text string `json:"text"` // "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config/st.cmd: port L0 not connected"
}

// New compares two releases of one asset. The error is of kind Invalid for
// releases of different assets, and joins the faults of a tree that can't be read.
func New(from, to Release) (*Diff, error) {
	a, b := from.Record, to.Record
	if a.Asset != b.Asset || a.Kind != b.Kind {
		return nil, &diag.Error{
			Kind: diag.Invalid,
			Err: fmt.Errorf("%s %s (%s) and %s %s (%s) are releases of different assets",
				a.Asset, a.Version, a.Kind, b.Asset, b.Version, b.Kind),
			Fix: "name two releases of one asset",
		}
	}
	d := &Diff{
		Asset: a.Asset, Kind: a.Kind, From: a.Version, To: b.Version,
		Parents: changes(parents(a), parents(b)), Sources: changes(sources(a), sources(b)), PVs: pvs(a, b),
		Notes: NewNotes(a, b),
	}
	var err error
	if d.Kind == asset.Beamline {
		d.Beamline = changes(policy(a), policy(b))
		if d.Instances, err = instances(from, to); err != nil {
			return nil, err
		}
	}
	d.Files, err = folders(from, to)
	return d, err
}

// Same reports whether nothing differs.
func (d *Diff) Same() bool {
	return len(d.Beamline)+len(d.Parents)+len(d.Sources)+len(d.Files)+len(d.Instances)+len(d.PVs)+len(d.Notes) == 0
}

// parents returns the versions of each parent: a beamline may run several of one
// image.
func parents(r *record.Record) map[string]string {
	all := map[string][]string{}
	for _, p := range r.Parents.Releases {
		all[string(p.Asset)] = append(all[string(p.Asset)], p.Version.String()+" "+string(p.Digest))
	}
	if root := r.Parents.Root; root != "" {
		all[root.Repository()] = []string{root.Tag() + " " + string(root.Digest())}
	}
	joined := map[string]string{}
	for asset, list := range all {
		joined[asset] = strings.Join(slices.Sorted(slices.Values(list)), ", ")
	}
	return joined
}

func sources(r *record.Record) map[string]string {
	all := map[string]string{}
	for _, s := range r.Sources {
		all[s.Module] = s.Ref + " at " + s.Commit
	}
	return all
}

func policy(r *record.Record) map[string]string {
	all := map[string]string{"namespace": r.Namespace}
	if r.Gate.Environment != "" {
		all["environment"] = r.Gate.Environment
	}
	if len(r.Gate.Approvers) > 0 {
		all["approvers"] = strings.Join(slices.Sorted(slices.Values(r.Gate.Approvers)), ", ")
	}
	return all
}

// instances compares a beamline's instances as their releases' trees have them.
func instances(from, to Release) ([]Instance, error) {
	var sides [2]map[string]*beamline.Instance
	for i, r := range []Release{from, to} {
		bl, err := beamline.Read(r.Files, r.Record.Asset)
		if err != nil {
			return nil, fmt.Errorf("reading the tree of %s %s: %w", r.Record.Asset, r.Record.Version, err)
		}
		sides[i] = map[string]*beamline.Instance{}
		for _, inst := range bl.Instances {
			sides[i][inst.Name] = inst
		}
	}
	var list []Instance
	for _, name := range union(sides[0], sides[1]) {
		i := instance(name, sides[0][name], sides[1][name])
		i.Needs = changes(needed(from.Needs[name]), needed(to.Needs[name]))
		if i.State == "" && len(i.Needs) > 0 {
			i.State = Changes // an image or the library chart did
		}
		if i.State != "" {
			i.Boot = booted(to.Record, name)
			list = append(list, i)
		}
	}
	return list, nil
}

// needed returns needs as things that can appear and disappear.
func needed(needs []string) map[string]string {
	all := map[string]string{}
	for _, need := range needs {
		all[need] = "needed"
	}
	return all
}

// booted returns what a release says of the boot of a service; nothing for an IOC.
func booted(r *record.Record, name string) string {
	for _, inst := range r.Instances {
		if inst.Name == name && inst.Service != "" {
			return r.Booted(inst)
		}
	}
	return ""
}

// instance compares one instance. Its State is empty when nothing differs.
func instance(name string, a, b *beamline.Instance) Instance {
	i := Instance{Name: name}
	switch {
	case a == nil:
		i.State, i.Image = Appears, runs(nil, b)
	case b == nil:
		i.State, i.Image = Disappears, runs(a, nil)
	default:
		i.Image = runs(a, b)
		i.Values = changes(values(a), values(b))
		i.Files = append(files(a.Config, b.Config), files(a.Own, b.Own)...)
		if i.Image != nil || len(i.Values)+len(i.Files) > 0 {
			i.State = Changes
		}
	}
	return i
}

// runs compares what instances run; nil where that is the same, or where their own
// charts say it.
func runs(a, b *beamline.Instance) *Change {
	was, old := image(a)
	is, now := image(b)
	if old == now {
		return nil
	}
	return &Change{Name: cmp.Or(is, was), Old: old, New: now}
}

// image returns what an instance runs, with its name: the generic IOC's pin, or the
// image of a service by digest.
func image(i *beamline.Instance) (name, what string) {
	switch {
	case i == nil:
	case i.Foreign != nil:
		return i.Foreign.Image.Repository(), string(i.Foreign.Image)
	case i.Service == "":
		return string(i.Image.Asset), i.Image.String()
	}
	return "", ""
}
