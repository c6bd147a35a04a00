package main

import (
	"context"
	"encoding/json"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/tags"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Verify checks that a trusted key or workflow signed a release, and that the
// registry holds byte for byte what the record names. The file is JSON, in the form of
// tagline verify --output json.
//
// +cache="never"
func (t *Tagline) Verify(
	ctx context.Context,
	// The tag of the release: bl01t/2026.11.1
	tag string,
	// Public keys that are trusted.
	// +optional
	key []*dagger.File,
	// Workflows that are trusted: https://github.com/some-org/site/.github/workflows/release.yml
	// +optional
	identity []string,
	// The OIDC issuer of the identities.
	// +default="https://token.actions.githubusercontent.com"
	issuer string,
	// trusted_root.json of a Sigstore of your own.
	// +optional
	trustedRoot *dagger.File,
	// A beamline's policy, whose signers are trusted for the assets that it names.
	// +optional
	policyFile *dagger.File,
) (*dagger.File, error) {
	named, err := tags.Released(func() (*tree.Repository, error) { return t.repository(ctx) }, tag)
	if err != nil {
		return nil, err
	}
	trusted, err := trusting{key, identity, issuer, trustedRoot, policyFile}.signers(ctx)
	if err != nil {
		return nil, err
	}
	reg, err := t.registry(ctx)
	if err != nil {
		return nil, err
	}
	report, err := attest.Verify(ctx, reg, trusted, named.Asset, named.Version)
	if err != nil {
		return nil, err
	}
	return shown("verify.json", report)
}

// trusting names whose signatures count.
type trusting struct {
	keys        []*dagger.File
	identities  []string
	issuer      string
	trustedRoot *dagger.File
	policy      *dagger.File
}

// signers returns the signers that are trusted: those named, or a policy's.
func (t trusting) signers(ctx context.Context) (attest.Trusted, error) {
	n := gate.Named{Identities: t.identities, Issuer: t.issuer}
	for _, file := range t.keys {
		text, err := contents(ctx, file)
		if err != nil {
			return nil, err
		}
		n.Keys = append(n.Keys, policy.Signer{Key: string(text)})
	}
	root, err := contents(ctx, t.trustedRoot)
	if err != nil {
		return nil, err
	}
	n.TrustedRoot = string(root)
	if t.policy != nil {
		text, err := t.policy.Contents(ctx)
		if err != nil {
			return nil, err
		}
		if n.Policy, err = policy.Read("the policy", []byte(text)); err != nil {
			return nil, err
		}
	}
	return n.Trusted(ctx, sign.PublicSigstore)
}

// Diff shows what changes from one release of an asset to another: images,
// sources, start-up scripts, values and PVs. The file is JSON, in the form of
// tagline diff --output json.
//
// +cache="never"
func (t *Tagline) Diff(
	ctx context.Context,
	// The tag of the older release: bl01t/2026.11.1
	from string,
	// The tag of the newer release: bl01t/2026.11.2
	to string,
) (*dagger.File, error) {
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	reg, err := t.registryOf(ctx, repo)
	if err != nil {
		return nil, err
	}
	var sides [2]diff.Release
	for i, tag := range []string{from, to} {
		named, err := tags.Released(func() (*tree.Repository, error) { return repo, nil }, tag)
		if err != nil {
			return nil, err
		}
		if sides[i], err = diff.Read(ctx, repo, reg, named); err != nil {
			return nil, err
		}
	}
	d, err := diff.New(sides[0], sides[1])
	if err != nil {
		return nil, err
	}
	return shown("diff.json", d)
}

// shown returns a result as a file, byte for byte what the command prints with --output
// json: what a function shows in another form would fall behind it.
func shown(name string, result any) (*dagger.File, error) {
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return nil, err
	}
	return dag.File(name, string(text)+"\n"), nil
}
