package gate

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// Open reads the record of a beamline's release and checks it. approver is who
// approved the release, empty when nobody did.
func Open(ctx context.Context, reg *registry.Registry, beamline asset.Name, v asset.Version, approver string) (Pass, error) {
	rec, digest, err := reg.Record(ctx, beamline, v)
	if err != nil {
		return Pass{}, err
	}
	var approval *Approval
	if approver != "" {
		approval = &Approval{By: approver, Of: rec.Tag}
	}
	return Check(rec, digest, approval)
}
