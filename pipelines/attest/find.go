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

// sought is a statement that somebody trusted should have signed.
type sought struct {
	ref  string // of what it is about, by digest
	kind string
	tag  string // of the release
}

// signed gives what somebody trusted says. That nobody does is an error with
// all that was wrong with what is there.
func (c *checker) signed(ctx context.Context, what sought) (json.RawMessage, error) {
	said, wrong, err := search(ctx, c.reg, c.trust, what)
	if err != nil {
		return nil, err
	}
	if said != nil {
		return said, nil
	}
	if wrong == nil {
		return nil, fmt.Errorf("%s: nobody signed %s of it", what.ref, what.kind)
	}
	return nil, fmt.Errorf("%s: nobody trusted signed %s of it: %w", what.ref, what.kind, wrong)
}

// search goes through what is attached: anybody who may write to the registry
// can add one, so those that don't hold are passed over, and told in wrong.
func search(ctx context.Context, reg *registry.Registry, trust *sign.Trust, what sought) (said json.RawMessage, wrong, err error) {
	list, err := reg.Attached(ctx, what.ref, sign.MediaType, what.kind)
	if err != nil {
		return nil, nil, err
	}
	var all []error
	for _, signed := range list {
		said, err := trust.Check(signed, digestOf(what.ref), what.kind, what.tag)
		if err == nil {
			return said, nil, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...), nil
}
