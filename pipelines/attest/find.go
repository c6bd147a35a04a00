package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// sought is a statement that a trusted signer should have signed.
type sought struct {
	ref  asset.Ref // of its subject, by digest
	kind string
	tag  asset.Tag // of the release
}

// signed returns the predicate of a trusted statement. Where there is none, the
// error joins what was wrong with those that are attached.
func (c *checker) signed(ctx context.Context, want sought) (json.RawMessage, error) {
	predicate, wrong, err := search(ctx, c.reg, c.trust, want)
	if err != nil {
		return nil, err
	}
	if predicate != nil {
		return predicate, nil
	}
	if wrong == nil {
		return nil, fmt.Errorf("%s: it has no signed %s", want.ref, want.kind)
	}
	return nil, fmt.Errorf("%s: no trusted signer signed its %s: %w", want.ref, want.kind, wrong)
}

// search looks for a trusted statement among those that are attached. Anybody
// who may write to the registry can attach one, so those that do not hold are
// skipped, and their faults joined in wrong.
func search(
	ctx context.Context, reg *registry.Registry, trust *sign.Trust, want sought,
) (predicate json.RawMessage, wrong, err error) {
	list, err := reg.Attached(ctx, want.ref, sign.MediaType, want.kind)
	if err != nil {
		return nil, nil, err
	}
	var faults []error
	for _, signed := range list {
		predicate, err := trust.Check(signed, string(want.ref.Digest()), want.kind, want.tag.String())
		if err == nil {
			return predicate, nil, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...), nil
}
