// Tagline takes a git tag to a beamline: it builds EPICS IOCs as container
// images, tests and publishes them, and promotes them to a beamline's cluster.
package main

import (
	"cmp"
	"context"
	"io/fs"
	"os"

	sdk "dagger.io/dagger"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Tagline is a site's repository and where its releases go.
type Tagline struct {
	// Registry and path that hold images, charts and records: "ghcr.io/some-org".
	Registry string

	// +private
	Git *dagger.Directory
	// +private
	Work *dagger.Directory
	// +private
	Mirror []string
	// +private
	Username string
	// +private
	Password *dagger.Secret
}

// notRead are the parts of a .git that no function reads: what belongs to the
// clone and not to the repository.
var notRead = []string{"hooks", "index", "lfs", "logs", "modules", "worktrees"}

// New opens the repository that dagger is called in. Functions read it as it was
// committed, so no more than its .git reaches the engine, and of that only what
// is new since the last call; lock and generate read the working copy.
func New(
	ws *dagger.Workspace,
	// Registry and path that hold images, charts and records: ghcr.io/some-org
	// +optional
	registry string,
	// Fetch sources below a URL from a copy: https://github.com/=https://git.example.org/mirrors/
	// +optional
	mirror []string,
	// User who signs in at the registry, with a password.
	// +optional
	username string,
	// Password or token of that user.
	// +optional
	password *dagger.Secret,
) *Tagline {
	return &Tagline{
		Registry: registry, Mirror: mirror, Username: username, Password: password,
		Git: ws.Directory("/.git", dagger.WorkspaceDirectoryOpts{Exclude: notRead}),
		Work: ws.Directory("/", dagger.WorkspaceDirectoryOpts{
			Include: []string{"tagline.yaml", "generic-iocs/**", "beamlines/**"}, Gitignore: true}),
	}
}

// repository copies the .git to where go-git can read it. No folder of the
// module outlives a call.
func (t *Tagline) repository(ctx context.Context) (*tree.Repository, error) {
	dir, err := os.MkdirTemp("", "repository")
	if err != nil {
		return nil, err
	}
	git := dir + "/.git"
	if _, err := t.Git.Export(ctx, git); err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading the .git of the repository", Err: err,
			Fix: "call dagger in a clone; the .git of a worktree or submodule is elsewhere"}
	}
	return tree.Open(dir)
}

// working returns the recipes and beamlines of the working copy.
func (t *Tagline) working(ctx context.Context) (fs.FS, error) {
	dir, err := os.MkdirTemp("", "working-copy")
	if err != nil {
		return nil, err
	}
	if _, err := t.Work.Export(ctx, dir); err != nil {
		return nil, err
	}
	return os.DirFS(dir), nil
}

// files returns the files of a revision.
func (t *Tagline) files(ctx context.Context, rev string) (fs.FS, error) {
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	return repo.At(rev)
}

// pipeline is the release pipeline of this repository in this session. Without
// a registry it can still do all that needs no release.
func (t *Tagline) pipeline(ctx context.Context) (release.Pipeline, error) {
	p, err := t.unconnected(ctx)
	if err != nil {
		return p, err
	}
	return p, t.connect(ctx, &p)
}

// unconnected is the release pipeline without an engine.
func (t *Tagline) unconnected(ctx context.Context) (p release.Pipeline, err error) {
	p.Tool = "devel"
	if p.Repo, err = t.repository(ctx); err != nil {
		return p, err
	}
	if p.Mirrors, err = source.ParseMirrors(t.Mirror); err != nil {
		return p, err
	}
	own, err := settingsOf(p.Repo)
	if err != nil {
		return p, err
	}
	if len(own.Signers) > 0 {
		if p.Trusted, err = gate.Signers(ctx, &policy.Policy{Signers: own.Signers}, sign.PublicSigstore); err != nil {
			return p, err
		}
	}
	if prefix := cmp.Or(t.Registry, own.Registry); prefix != "" {
		p.Registry, err = t.open(ctx, prefix)
	}
	return p, err
}

// connect sets the engine of this session in a pipeline.
func (t *Tagline) connect(ctx context.Context, p *release.Pipeline) (err error) {
	if p.Client, err = sdk.Connect(ctx); err != nil || p.Registry == nil {
		return err
	}
	return t.letEngineIn(ctx, p.Client, p.Registry)
}

// settingsOf returns what a repository says for all of its assets at HEAD.
func settingsOf(repo *tree.Repository) (*settings.Settings, error) {
	files, err := repo.At("HEAD")
	if err != nil {
		return nil, err
	}
	return settings.Read(files)
}

// container carries one of the library's containers into this module.
func container(ctx context.Context, c *sdk.Container) (*dagger.Container, error) {
	id, err := c.ID(ctx)
	if err != nil {
		return nil, err
	}
	return dag.LoadContainerFromID(dagger.ContainerID(id)), nil
}
