package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// sideBySide is how many charts are read at once.
const sideBySide = 8

// needs reads the chart of each instance, by the digest that would be deployed, and
// returns what those need that need more than an IOC. The record's word is not asked:
// whoever edits templates may release with a Tagline of his own.
func (q *Inquiry) needs(ctx context.Context, rec *record.Record) (map[string][]string, error) {
	if rec.Kind != asset.Beamline {
		return nil, nil
	}
	found := make([][]string, len(rec.Instances))
	err := step.EachIndex(ctx, sideBySide, len(found), func(ctx context.Context, i int) (err error) {
		inst := rec.Instances[i]
		archive, err := q.Registry.Chart(ctx, inst.Chart)
		if err != nil {
			return err
		}
		found[i], err = chart.Needs(archive, rec.Namespace, string(inst.Image))
		if err == nil {
			return nil
		}
		return &diag.Error{
			Kind: diag.Refused, Doing: "looking at the chart of", Asset: inst.Name, Version: rec.Version.String(),
			Err: err, Fix: "mend the chart and tag a new version",
		}
	})
	all := map[string][]string{}
	for i, inst := range rec.Instances {
		if len(found[i]) > 0 {
			all[inst.Name] = found[i]
		}
	}
	return all, err
}

// consent wants the policy to allow what charts need beyond an IOC.
func consent(f Facts) (reasons []Reason) {
	for _, name := range slices.Sorted(maps.Keys(f.Needs)) {
		var refused []string
		for _, need := range f.Needs[name] {
			if !f.Policy.Allows(name, need) {
				refused = append(refused, fmt.Sprintf("%q", need))
			}
		}
		if len(refused) == 0 {
			reasons = append(reasons, yes(
				Charts, "the policy consents to what the chart of %s needs: %s", name, list(f.Needs[name]),
			))
			continue
		}
		reasons = append(reasons, no(Charts, fmt.Sprintf(
			"take that out of the chart, or have it added to consents of the policy: {charts: [%s], to: [%s]}",
			name, list(refused),
		), "the chart of %s needs what the policy does not consent to: %s", name, list(refused)))
	}
	return reasons
}
