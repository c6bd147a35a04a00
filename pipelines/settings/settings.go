// Package settings reads tagline.yaml, which says what is the same for all assets
// of a repository.
package settings

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// File is where settings are, from the repository's root.
const File = "tagline.yaml"

// Settings is what a repository says for all of its assets.
type Settings struct {
	Registry string          // "ghcr.io/some-org"; empty when it does not say
	Library  asset.Pin       // the released library chart of its instances; zero for the tree's own, or Tagline's
	Signers  []policy.Signer // of the releases that it builds on and runs; none when nobody is asked for
}

// file is tagline.yaml as people write it.
type file struct {
	Registry registry        `json:"registry,omitempty" jsonschema_description:"Registry and path that hold images, charts and records. A flag or TAGLINE_REGISTRY goes over it."`
	Library  pin             `json:"library,omitempty" jsonschema_description:"The released library chart that instances are packaged with, where the repository has none in charts/ioc-lib. Left out: the one that Tagline carries."`
	Signers  []policy.Signer `json:"signers,omitempty" jsonschema:"minItems=1" jsonschema_description:"Who may sign the releases that this repository builds on and runs. Left out: no signature is asked for when they are built on; a beamline's policy asks for its own."`
}

type (
	registry string
	pin      string
)

// JSONSchema describes a registry's address: no scheme, and nobody who signs in.
func (registry) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("registry", `^[A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]+)?(/[-A-Za-z0-9._]+)*$`, "ghcr.io/some-org")
}

// JSONSchema describes a pin.
func (pin) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("library chart at a released version", asset.PinPattern, "ioc-lib 1.2.0")
}

var schema = sync.OnceValue(func() *strictyaml.Schema[file] {
	return strictyaml.New[file](
		"Settings of a repository", "tagline.yaml: what is the same for all assets of the repository.",
	)
})

// Schemas returns the JSON schema of the file, by the name it is published under.
func Schemas() map[string][]byte { return map[string][]byte{"tagline.schema.json": schema().JSON()} }

// Read reads the settings of a tree; none where it has no such file. The error
// joins every fault, a *diag.Error each, by line.
func Read(files fs.FS) (*Settings, error) {
	text, err := fs.ReadFile(files, File)
	if errors.Is(err, fs.ErrNotExist) {
		return &Settings{}, nil
	}
	if err != nil {
		return nil, diag.Invalidf(File, 0, "replace it by a file", "it can't be read: %w", err)
	}
	f, doc, err := schema().Read(File, text)
	var faults diag.Faults
	faults.Add(err)
	if f == nil {
		return nil, faults.Err()
	}
	s := &Settings{Registry: string(f.Registry), Signers: f.Signers}
	if f.Library != "" && err == nil {
		if s.Library, err = asset.ParsePin(string(f.Library)); err != nil {
			faults.Add(doc.At(strictyaml.Path{"library"}, err))
		}
	}
	policy.CheckSigners(doc, s.Signers, &faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return s, nil
}
