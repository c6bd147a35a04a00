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
	// that a provenance must be of; empty for other kinds. Two releases have a provenance
	// each of an image that they share, as one that changed nothing of it is the same image.
	commit string
}

// of returns an error when a statement is that of another release.
func (w sought) of(predicate json.RawMessage) error {
	if w.commit == "" {
		return nil
	}
	var how slsa
	if err := json.Unmarshal(predicate, &how); err != nil {
		return fmt.Errorf("reading its provenance: %w", err)
	}
	if how.commit() != w.commit {
		return fmt.Errorf("it is of commit %s, the record of %s", how.commit(), w.commit)
	}
	return nil
}

// statement is a statement that a trusted signer signed.
type statement struct {
	predicate json.RawMessage
	signer    string
}

// signed returns a trusted statement. Where there is none, the error joins what
// was wrong with those that are attached.
func signed(ctx context.Context, reg *registry.Registry, trust []*sign.Trust, want sought) (*statement, error) {
	found, wrong, err := search(ctx, reg, trust, want)
	if err != nil {
		return nil, err
	}
	if found != nil {
		return found, nil
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
	ctx context.Context, reg *registry.Registry, trust []*sign.Trust, want sought,
) (found *statement, wrong, err error) {
	list, err := reg.Attached(ctx, want.ref, sign.MediaType, want.kind)
	if err != nil {
		return nil, nil, err
	}
	var faults []error
	for _, text := range list {
		for _, t := range trust {
			predicate, err := t.Check(text, string(want.ref.Digest()), want.kind, want.tag.String())
			if err == nil {
				err = want.of(predicate)
			}
			if err == nil {
				return &statement{predicate, sign.SignedBy(text)}, nil, nil
			}
			faults = append(faults, err)
		}
		if len(trust) == 0 {
			faults = append(faults, fmt.Errorf("nobody is trusted with it; it is signed by %s", sign.SignedBy(text)))
		}
	}
	return nil, errors.Join(faults...), nil
}
