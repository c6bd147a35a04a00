package attest

import (
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// The predicate of SLSA's provenance, as far as a record fills it:
// https://slsa.dev/spec/v1.0/provenance
type slsa struct {
	BuildDefinition buildDefinition `json:"buildDefinition"`
	RunDetails      runDetails      `json:"runDetails"`
}

type buildDefinition struct {
	BuildType            string            `json:"buildType"`
	ExternalParameters   map[string]string `json:"externalParameters"`
	ResolvedDependencies []resource        `json:"resolvedDependencies"`
}

type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type runDetails struct {
	Builder builder `json:"builder"`
}

type builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// provenance returns how an image of a release was built: from which commit of
// the repository, on which images, with which sources.
func provenance(rec *record.Record, a record.Artifact, repository string) slsa {
	tagged := resource{Name: "repository", Digest: map[string]string{"gitCommit": rec.Commit}}
	if repository != "" {
		tagged.URI = "git+" + repository + "@refs/tags/" + rec.Tag.String()
	}
	needs := []resource{tagged}
	for _, p := range rec.Parents.Releases {
		needs = append(needs, imageResource(string(p.Asset), p.Ref))
	}
	if root := rec.Parents.Root; root != "" {
		needs = append(needs, imageResource(root.Repository(), root))
	}
	for _, s := range rec.Sources {
		r := resource{Name: s.Module, Digest: map[string]string{"gitCommit": s.Commit}}
		if s.URL == "tree" { // a folder of the tagged commit
			r.Digest = map[string]string{"gitTree": s.Commit}
		} else {
			r.URI = "git+" + s.URL + "@" + s.Ref
		}
		needs = append(needs, r)
	}
	for _, o := range rec.Builders() { // whose built modules are in it
		needs = append(needs, resource{
			Name: o.Release.String(), Digest: map[string]string{"sha256": hexOf(o.Record)},
		})
	}
	return slsa{
		buildDefinition{
			BuildType:            "https://github.com/tagline-ci/tagline/image/v1",
			ExternalParameters:   map[string]string{"tag": rec.Tag.String(), "target": string(a.Target)},
			ResolvedDependencies: needs,
		},
		runDetails{
			builder{ID: "https://github.com/tagline-ci/tagline", Version: map[string]string{"tagline": rec.Tool}},
		},
	}
}

// imageResource is a container image that another is built on.
func imageResource(name string, ref asset.Ref) resource {
	return resource{
		Name: name, URI: "oci://" + string(ref),
		Digest: map[string]string{"sha256": hexOf(ref.Digest())},
	}
}

// hexOf returns a digest without the name of its algorithm.
func hexOf(d asset.Digest) string { return strings.TrimPrefix(string(d), "sha256:") }

// commit returns the repository's commit in a provenance.
func (s slsa) commit() string {
	for _, r := range s.BuildDefinition.ResolvedDependencies {
		if r.Name == "repository" {
			return r.Digest["gitCommit"]
		}
	}
	return ""
}
