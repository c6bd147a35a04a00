package main

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// Chart is the chart that a release would make of an IOC instance.
type Chart struct {
	// The instance, and the namespace that it would run in.
	Instance, Namespace string
	// The version that its chart would have, 0.0.0 where the revision is no tag.
	Version string
	// What stands for something that only a release knows.
	Notes []string
	// Each value that the chart gets.
	Values []*Value
	// What it renders to, as Helm would send it.
	Manifests string
}

// Value is a value of an instance, and where it was written.
type Value struct {
	// The key as people write it: "memory", "env.SITE".
	Key string
	// Text as it is, anything else as JSON.
	Text string
	// Where it was written, from the repository's root; empty and 0 for a default.
	File string
	Line int
}

// Chart shows what an IOC instance's chart gets, and what it renders to. It needs no
// registry and builds nothing.
func (t *Tagline) Chart(
	ctx context.Context,
	// A beamline of the tree: bl01t
	beamline string,
	// One of its instances: bl01t-mo-ioc-01
	instance string,
	// The revision to read.
	// +default="HEAD"
	rev string,
) (*Chart, error) {
	name, err := asset.ParseName(beamline)
	if err != nil {
		return nil, err
	}
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := release.Chart(repo, rev, name, instance)
	if err != nil {
		return nil, err
	}
	c := &Chart{
		Instance: shown.Instance, Namespace: shown.Namespace, Version: shown.Version, Notes: shown.Notes,
		Manifests: shown.Manifests,
	}
	for _, v := range shown.Values {
		text, err := v.Text()
		if err != nil {
			return nil, err
		}
		c.Values = append(c.Values, &Value{Key: v.Key, Text: text, File: v.File, Line: v.Line})
	}
	return c, nil
}
