package promote

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Version is one version of a beamline, as somebody sees it who looks for one to promote.
type Version struct {
	Version  asset.Version `json:"version"`
	Released bool          `json:"released"`       // the registry has its record
	Runs     bool          `json:"runs"`           // it runs now
	Since    time.Time     `json:"since,omitzero"` // when it was promoted last; zero where that is not remembered
	Open     bool          `json:"open"`           // the gate would let it through now
	Against  []string      `json:"against"`        // the gate's reasons, or why it could not be asked
	Asked    bool          `json:"asked"`          // whether the gate was asked
}

// mostJudged is how many versions the gate is asked about: each is verified.
const mostJudged = 10

// Versions returns the versions of a beamline that were released or ran, the released ones
// first, in their order.
func Versions(released []asset.Version, l *ledger.Ledger) []Version {
	all := []Version{}
	for _, v := range released {
		all = append(all, Version{Version: v, Released: true, Against: []string{}})
	}
	for _, ran := range slices.Backward(l.Releases) { // the newest last, so that its time stays
		at := slices.IndexFunc(all, func(v Version) bool { return v.Version == ran.Record.Version })
		if at < 0 {
			all, at = append(all, Version{Version: ran.Record.Version, Against: []string{}}), len(all)
		}
		all[at].Since = ran.Since
		all[at].Runs = ran.Digest == l.Current().Digest
	}
	return all
}

// Judge asks about the newest of versions: pass returns the reasons against one, joined.
// A hold that a rollback has placed, of which the gate knows nothing, is one against all
// but what runs.
func Judge(ctx context.Context, all []Version, l *ledger.Ledger, pass func(context.Context, asset.Version) error) {
	all = all[:min(len(all), mostJudged)]
	_ = step.EachIndex(ctx, 4, len(all), func(ctx context.Context, i int) error {
		v := &all[i]
		if !v.Released {
			return nil
		}
		err := pass(ctx, v.Version)
		v.Asked, v.Open = true, err == nil
		for _, e := range diag.All(err) {
			var d *diag.Error
			if errors.As(e, &d) {
				e = d.Err
			}
			v.Against = append(v.Against, e.Error())
		}
		if l.Hold != nil && !v.Runs {
			v.Open, v.Against = false, append(v.Against, "the beamline is on hold: "+l.Hold.Reason)
		}
		return nil
	})
}
