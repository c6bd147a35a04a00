// Package lockfile reads and writes image.lock.yaml and beamline.lock.yaml: what the
// names in a recipe, or those of services' images, stood for when they were locked.
package lockfile

import (
	"fmt"
	"path"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// name is the name of an image's lock file, beside its image.yaml.
const name = "image.lock.yaml"

// Path returns where the lock file of an image is, from the tree's root.
func Path(img *recipe.Image) string { return path.Join(path.Dir(img.File), name) }

// Lock is what the names in an image's recipe stood for when it was locked.
type Lock struct {
	// Base is the root's container image by digest:
	// "docker.io/library/debian:trixie-slim@sha256:…". Empty for other images.
	Base string `json:"base,omitempty" yaml:"base,omitempty" jsonschema:"title=container image by digest,pattern=^[^\\s@]+@sha256:[0-9a-f]{64}$,example=docker.io/library/debian:trixie-slim@sha256:97b037379843f0958ec61280d628a4256e0fe701c6e91c5ae76f2117bb75dbb0" jsonschema_description:"The root's container image by digest."`
	// Modules are the support modules whose source is in git.
	Modules map[string]Module `json:"modules,omitempty" yaml:"modules,omitempty" jsonschema_description:"The commits that the refs of support modules stand for."`
	// Packages are all Debian packages that the recipe brings, those that its own need with them.
	Packages Packages `json:"packages,omitzero" yaml:"packages,omitempty" jsonschema_description:"The versions of Debian packages, of those that the recipe names and those that they need."`
}

// Module is the locked source of a support module.
type Module struct {
	Ref    string `json:"ref" yaml:"ref" jsonschema:"minLength=1,example=R4-45" jsonschema_description:"The git ref, as in image.yaml."`
	Commit Commit `json:"commit" yaml:"commit" jsonschema_description:"The commit it stands for."`
	// Submodules are commits by path.
	Submodules map[string]Commit `json:"submodules,omitempty" yaml:"submodules,omitempty" jsonschema_description:"The commits of the submodules that are wanted."`
}

// Packages are versions of Debian packages by name.
type Packages struct {
	Build map[string]string `json:"build,omitempty" yaml:"build,omitempty" jsonschema_description:"Of the developer image."`
	Run   map[string]string `json:"run,omitempty" yaml:"run,omitempty" jsonschema_description:"Of the runtime image alone."`
}

// Commit is a git commit: 40 hex digits.
type Commit string

// JSONSchema describes git's hashes.
func (Commit) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("git commit", `^[0-9a-f]{40}$`, "0123456789abcdef0123456789abcdef01234567")
}

var schema = sync.OnceValue(func() *strictyaml.Schema[Lock] {
	return strictyaml.New[Lock]("Lock file",
		"generic-iocs/<name>/image.lock.yaml: what the names in image.yaml stood for. tagline lock writes it.")
})

// Schemas returns the JSON schemas of lock files, by the name each is published
// under.
func Schemas() map[string][]byte {
	return map[string][]byte{
		"lock.schema.json": schema().JSON(), "beamline-lock.schema.json": imagesSchema().JSON(),
	}
}

// Text returns the lock as its file holds it: the same bytes for the same lock,
// and nothing for one that pins nothing and needs no file.
func (l *Lock) Text() ([]byte, error) {
	if l.Base == "" && len(l.Modules)+len(l.Packages.Build)+len(l.Packages.Run) == 0 {
		return nil, nil
	}
	text, err := yaml.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("writing a lock file: %w", err)
	}
	return append([]byte("# Written by tagline lock; commit it with image.yaml.\n"), text...), nil
}
