// Package promote takes a release's record to a running beamline, and back when
// an IOC does not live.
package promote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// Deps is what a promotion works with.
type Deps struct {
	Cluster *cluster.Namespace // the record's
	// Chart fetches a packaged chart (.tgz) by digest: "host/path/charts/x@sha256:…".
	Chart func(ctx context.Context, ref asset.Ref) ([]byte, error)
	// May lets a beamline return to a release that ran there before; the error says why
	// it may not. Rollback asks it, and the pass need not hold the release.
	May func(ctx context.Context, to ledger.Release) (gate.Pass, error)
	// Again asks the gate once more, when a promotion has the lock: it may have waited for
	// it, while the policy changed, a closed time began or an approval ended. It is nil
	// where the pass of before is good.
	Again   func(ctx context.Context) (gate.Pass, error)
	Lift    string        // why a hold that a rollback placed may end; empty where nobody lifts one
	Holder  string        // names this run to others who wait for the beamline; different for each run
	Timeout time.Duration // until every IOC must live; putting back has as long, and two minutes at least
}

// Patience is the Timeout where nobody asks for another.
const Patience = 5 * time.Minute

// Result is what a promotion or a rollback did.
type Result struct {
	Beamline string `json:"beamline"`
	Version  string `json:"version"`          // that runs now; empty when nothing does
	Former   string `json:"former,omitempty"` // that ran before, empty when none did
	Record   string `json:"record"`           // digest of the record that runs now
	IOCs     []IOC  `json:"iocs"`             // sorted by name
	// Verified is what the watch found: "verified 2m", "inconclusive: …", or "not as
	// before: …" after a rollback; empty where nothing was watched.
	Verified string `json:"verified,omitempty"`
}

// IOC is what a promotion did to one IOC.
type IOC struct {
	Name  string `json:"name"`
	Did   string `json:"did"`             // Unchanged, Restarted, Started, Stopped or Removed
	PV    string `json:"pv,omitempty"`    // the PV that was asked
	Value string `json:"value,omitempty"` // what it said, as ioc-ask prints it
	Doing string `json:"doing,omitempty"` // what an IOC does that is not ready, or who stopped it
}

// What happened to an IOC.
const (
	Unchanged = "unchanged" // its pod is the one that ran before
	Restarted = "restarted" // its pod was replaced
	Started   = "started"   // it had no pod
	Stopped   = "stopped"   // it has no pod: its release or a person stopped it, now or before
	Removed   = "removed"   // it is not in the release
)

// Run makes a beamline run the release that pass holds: every instance by
// digest, ready, and answering over EPICS. When one that the promotion touched, or
// that was ready before, does not, all are put back as they were and the error is
// of kind diag.Undone; so it is when what the policy has verified after that does not
// stay as it was. Promoting what already runs changes nothing and asks every IOC. A
// run that was killed is finished, or its beamline put back, by the next.
func Run(ctx context.Context, deps Deps, pass gate.Pass) (*Result, error) {
	rec := pass.Record()
	if rec == nil {
		return nil, errors.New("promoting: the pass holds no release; a verdict of the gate gives one that does")
	}
	if rec.Namespace != deps.Cluster.Name || string(rec.Asset) != deps.Cluster.Beamline {
		return nil, fmt.Errorf(
			"promoting %s: it goes to namespace %s, and %s of %s was opened",
			rec.Tag,
			rec.Namespace,
			deps.Cluster.Name,
			deps.Cluster.Beamline,
		)
	}
	if err := ledger.Elsewhere(ctx, deps.Cluster); err != nil {
		return nil, err
	}
	if err := deps.Cluster.Ensure(ctx); err != nil {
		return nil, err
	}
	var result *Result
	err := ledger.Locked(ctx, deps.Cluster, deps.Holder, func(ctx, held context.Context, n *cluster.Namespace) error {
		deps.Cluster = n
		pass, err := deps.again(ctx, pass)
		if err != nil {
			return err
		}
		past, err := ledger.Read(ctx, n)
		if err != nil {
			return err
		}
		to := ledger.Release{
			Record: *rec, Digest: pass.Digest(), Since: time.Now().UTC(), Signatures: pass.Signatures(),
			Needs: pass.Needs(),
		}
		if err := deps.lift(past, to); err != nil {
			return err
		}
		m := &move{Deps: deps, held: held, ledger: past, to: to, doing: "promoting", did: "promote", pass: pass}
		m.reason = deps.Lift
		m.verify, m.severities = pass.Verify(), pods.Severities
		m.settle = func() { past.Push(to); past.Hold = nil }
		result, err = m.run(ctx)
		return err
	})
	return result, err
}

// again returns what the gate says of the same record now.
func (d Deps) again(ctx context.Context, pass gate.Pass) (gate.Pass, error) {
	if d.Again == nil {
		return pass, nil
	}
	now, err := d.Again(ctx)
	if err == nil && now.Digest() != pass.Digest() {
		err = fmt.Errorf("promoting: the gate let the record %s through, and then %s", pass.Digest(), now.Digest())
	}
	return now, err
}

// lift returns an error of kind diag.Refused when a rollback placed a hold that
// the person does not lift. Promoting what already runs needs no lifting.
func (d Deps) lift(past *ledger.Ledger, to ledger.Release) error {
	now := past.Current()
	if past.Hold == nil || d.Lift != "" || now != nil && now.Digest == to.Digest {
		return nil
	}
	return &diag.Error{
		Kind: diag.Refused, Doing: "promoting", Asset: string(to.Record.Asset), Version: to.Record.Version.String(),
		Err: fmt.Errorf("the beamline is on hold since %s: %s by %s",
			past.Hold.Since.Format(time.RFC3339), past.Hold.Reason, past.Hold.By),
		Fix: "when the cause is mended, promote with --lift-hold and the reason",
	}
}
