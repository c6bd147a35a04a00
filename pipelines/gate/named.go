package gate

import (
	"context"
	"errors"

	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Named is whose signatures count for who asks about a release: signers that are named
// one by one, or those of a beamline's policy.
type Named struct {
	Keys []policy.Signer // each with a Key
	// Identities are as people write them: a workflow, or name=workflow for the assets of
	// that name alone.
	Identities  []string
	Issuer      string         // of the identities; empty for GitHub Actions
	TrustedRoot string         // text of a Sigstore's trusted_root.json; empty for the public one
	Policy      *policy.Policy // nil where none is named
	// AsGate trusts as the gate does, which asks for no signature where the policy accepts
	// releases that nobody signed.
	AsGate bool
}

// Trusted returns the signers; nil where no signature is asked for. The error is of kind
// diag.Invalid where nobody is named, or where one thing that is named makes no use of
// another. sigstore returns the public instance.
func (n Named) Trusted(
	ctx context.Context, sigstore func(context.Context) (*sign.Sigstore, error),
) (attest.Trusted, error) {
	named := len(n.Keys)+len(n.Identities) > 0
	switch {
	case n.Policy != nil && named:
		return nil, BadSigners("a policy is named beside a key or an identity", "give one of them")
	case len(n.Identities) == 0 && (n.TrustedRoot != "" || n.Issuer != "" && n.Issuer != policy.Actions):
		return nil, BadSigners("no identity is named", "give the identity too whose issuer or Sigstore this is")
	case n.Policy != nil && n.AsGate && n.Policy.Unsigned != "":
		return nil, nil
	case n.Policy != nil && len(n.Policy.Signers) == 0:
		return nil, BadSigners("the policy names no signers", "give a key or an identity instead")
	case n.Policy != nil:
		return Signers(ctx, n.Policy, sigstore)
	case !named:
		return nil, BadSigners("nobody is named", "give a public key, an identity or a policy")
	}
	p := policy.Policy{Signers: n.Keys}
	for _, item := range n.Identities {
		assets, identity := policy.Scoped(item)
		p.Signers = append(p.Signers, policy.Signer{
			Assets: assets, Identity: identity, Issuer: n.Issuer, TrustedRoot: n.TrustedRoot,
		})
	}
	return Signers(ctx, &p, sigstore)
}

// BadSigners returns the error, of kind diag.Invalid, of signers that can't be read as
// they are named.
func BadSigners(what, fix string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "reading the trusted signers", Err: errors.New(what), Fix: fix}
}
