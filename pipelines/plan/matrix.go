package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// Matrix is a plan as the matrix of a job of GitHub Actions: one entry for each
// asset, what others are built on first. A job that builds on others' results
// takes one level at a time. GitHub takes 256 entries at most, and refuses an
// empty matrix: ask for Include first.
type Matrix struct {
	Include []Job `json:"include"`
}

// Job is one entry of a Matrix.
type Job struct {
	Asset     string      `json:"asset"`
	Kind      record.Kind `json:"kind"`
	Level     int         `json:"level"`
	Tag       string      `json:"tag,omitempty"`       // of a plan for a tag
	Instances string      `json:"instances,omitempty"` // affected instances of a beamline, with blanks between
	Why       string      `json:"why"`                 // the reasons, with "; " between
}

// Matrix gives the one job of a tag.
func (p *Plan) Matrix() Matrix {
	return Matrix{[]Job{{Asset: p.Tag.Asset, Kind: p.Kind, Tag: p.Tag.String(), Why: "tag " + p.Tag.String()}}}
}

// Matrix gives a job for each asset that a change affects.
func (c *Changes) Matrix() Matrix {
	m := Matrix{[]Job{}}
	for _, a := range c.Assets {
		why := slices.Clone(a.Why)
		var names []string
		for _, i := range a.Instances {
			names = append(names, i.Name)
			why = append(why, i.Why...)
		}
		m.Include = append(m.Include, Job{Asset: a.Asset, Kind: a.Kind, Level: a.Level, Instances: strings.Join(names, " "), Why: joined(why)})
	}
	return m
}

// joined gives the reasons once each, the first few of them.
func joined(why []string) string {
	var list []string
	for _, w := range why {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	if more := len(list) - shown; more > 0 {
		list = append(list[:shown], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, "; ")
}
