package record

import (
	"encoding/json"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Parents is what a release is built on or runs. In JSON it is one list, with
// the root last.
type Parents struct {
	Releases []Parent // released images, nearest first
	// Root is the container image that an image's hierarchy begins with, by
	// digest: "docker.io/library/debian:trixie-slim@sha256:…". It is empty for
	// other kinds of asset.
	Root asset.Ref
}

// Parent is a released image, by digest.
type Parent struct {
	Asset   asset.Name    `json:"asset"`   // in JSON, of the root, its repository
	Version asset.Version `json:"version"` // in JSON, of the root, its tag
	Ref     asset.Ref     `json:"ref"`     // "host/path/name@sha256:…"
	Digest  asset.Digest  `json:"digest"`  // "sha256:…"
}

// listed is an entry of the list in JSON: a released image, or the root, which
// has its repository in place of an asset's name.
type listed struct {
	Asset   string       `json:"asset"`   // of the root, its repository
	Version string       `json:"version"` // of the root, its tag
	Ref     asset.Ref    `json:"ref"`     // "host/path/name@sha256:…"
	Digest  asset.Digest `json:"digest"`  // "sha256:…"
}

// IsZero reports whether there are none.
func (p Parents) IsZero() bool { return len(p.Releases) == 0 && p.Root == "" }

// MarshalJSON writes the list.
func (p Parents) MarshalJSON() ([]byte, error) {
	all := []listed{}
	for _, r := range p.Releases {
		all = append(all, listed{string(r.Asset), r.Version.String(), r.Ref, r.Digest})
	}
	if p.Root != "" {
		all = append(all, listed{p.Root.Repository(), p.Root.Tag(), p.Root, p.Root.Digest()})
	}
	return json.Marshal(all)
}

// UnmarshalJSON reads what MarshalJSON wrote. The names of assets are no
// repositories, so the two cannot be mistaken for each other.
func (p *Parents) UnmarshalJSON(b []byte) error {
	var all []listed
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*p = Parents{}
	for i, l := range all {
		if i == len(all)-1 && l.Asset == l.Ref.Repository() {
			p.Root = l.Ref
			return nil
		}
		name, err := asset.ParseName(l.Asset)
		if err != nil {
			return err
		}
		v, err := asset.ParseVersion(l.Version)
		if err != nil {
			return err
		}
		p.Releases = append(p.Releases, Parent{name, v, l.Ref, l.Digest})
	}
	return nil
}

// JSONSchemaAlias returns what stands for Parents in the JSON schema.
func (Parents) JSONSchemaAlias() any { return []Parent{} }
