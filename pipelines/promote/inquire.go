package promote

import (
	"context"
	"errors"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Policy reads the policy of a beamline from its namespace. The error is of kind
// diag.Refused when there is none.
func Policy(ctx context.Context, n *cluster.Namespace) (*policy.Policy, error) {
	text, applied, err := ledger.Policy(ctx, n)
	if err != nil {
		return nil, err
	}
	return policy.ReadApplied("ConfigMap "+ledger.PolicyName+" of namespace "+n.Name, []byte(text), applied)
}

// PolicyOr reads the policy of a beamline as Policy does. A beamline that has none is
// given first; given reports that.
func PolicyOr(
	ctx context.Context, n *cluster.Namespace, first policy.Template,
) (p *policy.Policy, given bool, err error) {
	if p, err = Policy(ctx, n); !errors.Is(err, ledger.ErrNoPolicy) {
		return p, false, err
	}
	text, err := first.Text(n.Beamline)
	if err != nil {
		return nil, false, err
	}
	_, there, err := ledger.FirstPolicy(ctx, n, text)
	if err != nil {
		return nil, false, err
	}
	p, err = Policy(ctx, n)
	return p, !there, err
}

// Inquire prepares questions to the gate about releases for a beamline's namespace, as of
// the cluster's own time. Other beamlines, on which a release must have run before, are
// looked for in the same cluster. reg is nil where none can be asked.
func Inquire(
	ctx context.Context, access cluster.Access, n *cluster.Namespace, p *policy.Policy, reg *registry.Registry,
) (*gate.Inquiry, error) {
	now, err := n.Now(ctx)
	if err != nil {
		return nil, err
	}
	return &gate.Inquiry{
		// What is no name is the beamline of no release.
		Beamline: asset.Name(n.Beamline), Namespace: n.Name, Policy: p, Registry: reg, Sigstore: sign.PublicSigstore,
		Now: now,
		Healthy: func(ctx context.Context, namespace string) (map[asset.Digest]time.Time, error) {
			other, err := cluster.Open(access, namespace, namespace)
			if err != nil {
				return nil, err
			}
			return pods.Healthy(ctx, other)
		},
	}, nil
}
