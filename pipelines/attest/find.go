package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// at gives an artifact's address by its digest.
func at(a record.Artifact) string { return a.Ref[:strings.LastIndex(a.Ref, ":")] + "@" + a.Digest }

// digestOf gives the digest in an address.
func digestOf(ref string) string { return ref[strings.LastIndex(ref, "@")+1:] }

// find gives what somebody trusted says about ref, nil when nobody does.
func find(ctx context.Context, reg *registry.Registry, trust *sign.Trust, ref, kind string) (json.RawMessage, error) {
	said, _, err := search(ctx, reg, trust, ref, kind)
	return said, err
}

// signed gives what somebody trusted says about ref. That nobody does is an
// error with all that was wrong with what is there.
func (c *checker) signed(ctx context.Context, ref, kind string) (json.RawMessage, error) {
	said, wrong, err := search(ctx, c.reg, c.trust, ref, kind)
	if err != nil {
		return nil, err
	}
	if said != nil {
		return said, nil
	}
	if wrong == nil {
		return nil, fmt.Errorf("%s: nobody signed %s of it", ref, kind)
	}
	return nil, fmt.Errorf("%s: nobody trusted signed %s of it: %w", ref, kind, wrong)
}

// search goes through the attachments of ref: anybody who may write to the
// registry can add one, so those that don't hold are passed over.
func search(ctx context.Context, reg *registry.Registry, trust *sign.Trust, ref, kind string) (said json.RawMessage, wrong, err error) {
	list, err := reg.Attached(ctx, ref, sign.MediaType, kind)
	if err != nil {
		return nil, nil, err
	}
	var all []error
	for _, signed := range list {
		said, err := trust.Check(signed, digestOf(ref), kind)
		if err == nil {
			return said, nil, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...), nil
}
