package scaffold

import (
	"cmp"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// Repository is what a repository has beside its assets.
type Repository struct {
	Registry string    // "ghcr.io/some-org"
	Library  asset.Pin // the released library chart of its beamlines; zero for Tagline's own
	// Signers signed what its releases are built on and run. Where there are none, its
	// settings say how to name them.
	Signers []policy.Signer
	// Version is what the workflows fetch and editors read schemas of: a tag, branch
	// or commit of Tagline's repository. Empty for its main branch.
	Version string
}

// Tagline returns the git ref of Tagline that is used.
func (r Repository) Tagline() string { return cmp.Or(r.Version, "main") }

// Schemas returns where editors find the schemas of the files.
func (r Repository) Schemas() string {
	return "https://raw.githubusercontent.com/tagline-ci/tagline/" + r.Tagline() + "/docs/schemas"
}

// GitHub reports whether the registry is that of GitHub, which takes the token of
// a workflow.
func (r Repository) GitHub() bool { return strings.HasPrefix(r.Registry, "ghcr.io/") }

// Common returns the settings, workflows and README of a repository whose first
// release is that of tag.
func (r Repository) Common(tag asset.Tag) (Files, error) {
	return fill("repository", "", data{Repository: r, Name: string(tag.Asset), Tag: tag})
}

// Promotion returns the workflow that promotes a beamline of the repository.
func (r Repository) Promotion(beamline string) (Files, error) {
	return fill("promotion", "", data{Repository: r, Name: beamline})
}
