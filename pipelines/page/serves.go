package page

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// lookWithin bounds the reading of the PVs that releases serve.
const lookWithin = 10 * time.Second

// lists holds the PVs of the releases that run, by place. They are read when
// somebody looks for a PV, and kept while that release runs.
type lists struct {
	mu   sync.Mutex
	kept map[place]list
}

// list is what pvs.Read returned for a record.
type list struct{ record, lines string }

// get returns the PVs of a release as pvs.Read does.
func (l *lists) get(ctx context.Context, r reading) (string, error) {
	l.mu.Lock()
	known := l.kept[r.place]
	l.mu.Unlock()
	if known.record == r.status.Record {
		return known.lines, nil
	}
	lines, err := pvs.Read(ctx, r.namespace, asset.Digest(r.status.Record))
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.kept[r.place] = list{r.status.Record, lines}
	}
	return lines, err
}

// servers returns, for the place of a reading, which instances serve a PV that the
// filter wants, and a note for each beamline whose PVs could not be read.
func (b *Board) servers(
	ctx context.Context, f Filter, all []reading,
) (func(id string) func(instance string) bool, []string) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var mu sync.Mutex
	found, notes := map[string]map[string]bool{}, []string{}
	_ = step.Each(ctx, 8, all, func(ctx context.Context, r reading) error {
		if r.status == nil || r.status.Record == "" || !f.wantsBeamline(r.beamline) {
			return nil
		}
		instances := map[string]bool{}
		lines, err := b.lists.get(ctx, r)
		if err == nil {
			var matches []pvs.PV
			matches, err = pvs.Find(lines, f.values["pv"])
			for _, pv := range matches {
				instances[pv.Instance] = true
			}
		}
		mu.Lock()
		defer mu.Unlock()
		found[r.place.id()] = instances
		if err != nil {
			notes = append(notes, fmt.Sprintf("the PVs of %s are not known: %v", r.beamline, err))
		}
		return nil
	})
	slices.Sort(notes)
	return func(id string) func(string) bool { return func(instance string) bool { return found[id][instance] } }, notes
}
