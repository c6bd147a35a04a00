package main

import (
	"context"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// Release is what a tag was released as.
type Release struct {
	// The git tag, and the commit that it was released from.
	Tag, Commit string
	// The record: JSON that names all of the release by digest.
	Record *dagger.File
	// Images and charts in the registry.
	Artifacts []*Artifact
}

// Artifact is one image or chart of a release.
type Artifact struct {
	// "ioc-simstage-runtime", "bl01t-mo-ioc-01".
	Name string
	// "image" or "chart".
	Kind string
	// Of an image: "developer" or "runtime".
	Target string
	// Its address in the registry by tag, and the digest of its manifest.
	Ref, Digest string

	// +private
	Pinned string
}

// Container is the image as the registry has it; a chart is none.
func (a *Artifact) Container() *dagger.Container {
	return dag.Container().From(a.Pinned)
}

// Containers are the images of the release as the registry has them.
func (r *Release) Containers() []*dagger.Container {
	containers := []*dagger.Container{}
	for _, a := range r.Artifacts {
		if a.Kind == "image" {
			containers = append(containers, a.Container())
		}
	}
	return containers
}

// Release builds, tests and publishes what a tag names. A tag that is released
// already returns the release that there is.
//
// +cache="never"
func (t *Tagline) Release(
	ctx context.Context,
	// A tag of the repository: bl01t/2026.11.1
	tag string,
	// The private key that signs the release.
	// +optional
	key *dagger.Secret,
	// The key's password.
	// +optional
	keyPassword *dagger.Secret,
	// ACTIONS_ID_TOKEN_REQUEST_URL of the workflow that signs the release, without a key.
	// +optional
	workflowURL string,
	// ACTIONS_ID_TOKEN_REQUEST_TOKEN of that workflow.
	// +optional
	workflowToken *dagger.Secret,
	// trusted_root.json of a Sigstore of your own.
	// +optional
	trustedRoot *dagger.File,
	// signing_config.json of a Sigstore of your own.
	// +optional
	signingConfig *dagger.File,
	// Boot every IOC of a beamline and build every support module of an image, also those that the
	// release before has tested or built with the same inputs.
	// +optional
	all bool,
) (*Release, error) {
	p, err := t.releases(ctx)
	if err != nil {
		return nil, err
	}
	p.All = all
	by := signing{key, keyPassword, workflowURL, workflowToken, trustedRoot, signingConfig}
	if p.Signer, err = by.signer(ctx); err != nil {
		return nil, err
	}
	rec, err := p.Run(ctx, tag)
	if err != nil {
		return nil, err
	}
	return releaseOf(rec)
}

func releaseOf(rec *record.Record) (*Release, error) {
	text, err := record.Encode(rec)
	if err != nil {
		return nil, err
	}
	r := &Release{
		Tag: rec.Tag.String(), Commit: rec.Commit, Record: dag.File("record.json", string(text)),
		Artifacts: []*Artifact{},
	}
	for _, a := range rec.Artifacts {
		r.Artifacts = append(r.Artifacts, &Artifact{
			Name: a.Name, Kind: string(a.Type), Target: string(a.Target),
			Ref: string(a.Ref), Digest: string(a.Digest), Pinned: string(a.Pinned()),
		})
	}
	return r, nil
}
