// Tagline takes a git tag to a beamline: it builds EPICS IOCs as container
// images, tests and publishes them, and promotes them to a beamline's cluster.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	sdk "dagger.io/dagger"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Tagline is the repository and where its releases go.
type Tagline struct {
	// Source is the git repository, with its .git.
	Source *dagger.Directory
	// Registry holds images, charts and records: "ghcr.io/owner".
	Registry string
	// Mirror are copies to fetch sources from: "https://github.com/=https://git.example.org/mirrors/".
	Mirror []string
	// Username and Password sign in at the registry.
	Username string
	Password *dagger.Secret
}

// New names the repository and the registry.
func New(
	// The git repository, with its .git.
	// +defaultPath="/"
	source *dagger.Directory,
	// Registry and path that hold images, charts and records.
	// +optional
	registry string,
	// Fetch sources below a URL from a copy: https://github.com/=https://git.example.org/mirrors/
	// +optional
	mirror []string,
	// User who signs in at the registry.
	// +optional
	username string,
	// Password or token of that user.
	// +optional
	password *dagger.Secret,
) *Tagline {
	return &Tagline{Source: source, Registry: registry, Mirror: mirror, Username: username, Password: password}
}

// Plan says what releasing a tag would do, as JSON.
func (t *Tagline) Plan(ctx context.Context, tag string) (string, error) {
	repo, _, err := t.repository(ctx)
	if err != nil {
		return "", err
	}
	pl, err := release.Plan(repo, tag)
	return asJSON(pl, err)
}

// Lock pins what recipes name: it gives the lock files, to be exported into the
// repository.
//
// +cache="never"
func (t *Tagline) Lock(
	ctx context.Context,
	// Folders below generic-iocs/; all when none is named.
	// +optional
	images []string,
) (*dagger.Directory, error) {
	p, root, err := t.local(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]asset.Name, len(images))
	for i, image := range images {
		names[i] = asset.Name(image) // whatever it is: the tree has none of a name that is none
	}
	locks, err := p.Lock(ctx, os.DirFS(root), names...)
	if err != nil {
		return nil, err
	}
	dir := dag.Directory()
	for file, text := range locks {
		if len(text) > 0 {
			dir = dir.WithNewFile(file, string(text))
		}
	}
	return dir, nil
}

// Check builds and tests what a tag, which need not exist, would release at a
// revision. It publishes nothing and gives the tests as JSON.
func (t *Tagline) Check(
	ctx context.Context,
	tag string,
	// +default="HEAD"
	rev string,
	// Build what the image is built on, or what the instances run, from the tree.
	// +optional
	inTree bool,
	// Boot every IOC of a beamline, also those that the release before has tested with the same inputs.
	// +optional
	all bool,
) (string, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return "", err
	}
	p.All = all
	tests, err := p.Check(ctx, rev, tag, inTree)
	return asJSON(tests, err)
}

// Release builds, tests and publishes a tag and gives its record as JSON.
//
// +cache="never"
func (t *Tagline) Release(
	ctx context.Context,
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
	// Boot every IOC of a beamline, also those that the release before has tested with the same inputs.
	// +optional
	all bool,
) (string, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return "", err
	}
	p.All = all
	by := signing{key, keyPassword, workflowURL, workflowToken, trustedRoot, signingConfig}
	if p.Signer, err = by.signer(ctx); err != nil {
		return "", err
	}
	rec, err := p.Run(ctx, tag)
	return asJSON(rec, err)
}

// Image describes a generic IOC image of the tree, on parents from the tree.
func (t *Tagline) Image(
	ctx context.Context,
	// The image's folder below generic-iocs/.
	name string,
	// +default="HEAD"
	rev string,
) (*Image, error) {
	p, _, err := t.local(ctx) // the tree is enough
	if err != nil {
		return nil, err
	}
	img, err := p.Image(ctx, p.Repo, rev, asset.Name(name)) // which refuses what is no name
	if err != nil {
		return nil, err
	}
	developer, err := container(ctx, img.Developer)
	if err != nil {
		return nil, err
	}
	runtime, err := container(ctx, img.Runtime)
	return &Image{Developer: developer, Runtime: runtime}, err
}

// Image is a generic IOC image's two targets.
type Image struct {
	// Compilers, sources and tools: what a developer works in.
	Developer *dagger.Container
	// The minimum that runs.
	Runtime *dagger.Container
}

// container carries one of the library's containers into this module.
func container(ctx context.Context, c *sdk.Container) (*dagger.Container, error) {
	id, err := c.ID(ctx)
	return dag.LoadContainerFromID(dagger.ContainerID(id)), err
}

// repository unpacks the git repository where go-git can read it, and says where.
func (t *Tagline) repository(ctx context.Context) (*tree.Repository, string, error) {
	dir, err := os.MkdirTemp("", "repository")
	if err != nil {
		return nil, "", err
	}
	if _, err := t.Source.Export(ctx, dir); err != nil {
		return nil, "", err
	}
	repo, err := tree.Open(dir)
	return repo, dir, err
}

// local is the release pipeline of this repository without a registry, and the
// folder of its working copy.
func (t *Tagline) local(ctx context.Context) (p release.Pipeline, root string, err error) {
	if p.Repo, root, err = t.repository(ctx); err != nil {
		return p, "", err
	}
	if p.Mirrors, err = source.ParseMirrors(t.Mirror); err != nil {
		return p, "", err
	}
	p.Tool = "devel"
	p.Client, err = sdk.Connect(ctx)
	return p, root, err
}

// pipeline is the release pipeline of this repository and registry.
func (t *Tagline) pipeline(ctx context.Context) (release.Pipeline, error) {
	p, _, err := t.local(ctx)
	if err != nil {
		return p, err
	}
	p.Registry, err = t.registry(ctx)
	return p, err
}

func (t *Tagline) registry(ctx context.Context) (*registry.Registry, error) {
	if t.Registry == "" {
		return nil, errors.New("no registry is named; give --registry")
	}
	opts := registry.Options{Username: t.Username}
	if t.Password != nil {
		var err error
		if opts.Password, err = t.Password.Plaintext(ctx); err != nil {
			return nil, err
		}
	}
	return registry.New(t.Registry, opts)
}

func asJSON(v any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b), err
}
