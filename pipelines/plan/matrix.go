package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// maxJobs is how many entries GitHub takes in the matrix of one job.
const maxJobs = 256

// Matrix is a plan as the matrix of a job of GitHub Actions: one entry for each
// asset, what others are built on first. A job that builds on others' results
// takes one level at a time. GitHub takes 256 entries at most, for which there
// is Part, and refuses an empty matrix: ask for Include first.
type Matrix struct {
	Include []Job `json:"include"`
}

// Job is one entry of a Matrix.
type Job struct {
	Asset     asset.Name `json:"asset"`
	Kind      asset.Kind `json:"kind"`
	Level     int        `json:"level"`
	Tag       string     `json:"tag,omitempty"`       // of a plan for a tag
	Instances string     `json:"instances,omitempty"` // affected instances of a beamline, with blanks between
	Why       string     `json:"why"`                 // the reasons, with "; " between
}

// Part returns a part of a matrix, in its order: which one of how many, "2/3"; "1/1" is
// the whole. A part that there is not, or that GitHub would not take, is refused
// (diag.Invalid).
func (m Matrix) Part(which string) (Matrix, error) {
	refuse := func(fix, why string, args ...any) error {
		return &diag.Error{Kind: diag.Invalid, Doing: "planning a matrix", Err: fmt.Errorf(why, args...), Fix: fix}
	}
	first, second, _ := strings.Cut(which, "/")
	n, noNumber := strconv.Atoi(first)
	parts, neither := strconv.Atoi(second)
	if noNumber != nil || neither != nil {
		return Matrix{}, refuse("write which part of how many, as in 2/3", "%q is not two numbers", which)
	}
	if n < 1 || n > parts {
		return Matrix{}, refuse("number them from 1, as in 1/2 and 2/2", "there is no part %d of %d", n, parts)
	}
	all := len(m.Include)
	part := Matrix{m.Include[(n-1)*all/parts : n*all/parts]}
	if len(part.Include) > maxJobs {
		need := (all + maxJobs - 1) / maxJobs
		return Matrix{}, refuse(fmt.Sprintf(
			"let %d jobs of the workflow have a part each: --part 1/%d to %d/%d", need, need, need, need,
		),
			"%d entries, and GitHub takes %d in the matrix of one job", len(part.Include), maxJobs)
	}
	return part, nil
}

// Matrix returns the one job of a tag.
func (p *Plan) Matrix() Matrix {
	return Matrix{[]Job{{Asset: p.Tag.Asset, Kind: p.Kind, Tag: p.Tag.String(), Why: "tag " + p.Tag.String()}}}
}

// Matrix returns a job for each asset that a change affects.
func (c *Changes) Matrix() Matrix {
	m := Matrix{[]Job{}}
	for _, a := range c.Assets {
		why := slices.Clone(a.Why)
		var names []string
		for _, i := range a.Instances {
			names = append(names, i.Name)
			why = append(why, i.Why...)
		}
		m.Include = append(m.Include, Job{
			Asset: a.Asset, Kind: a.Kind, Level: a.Level, Instances: strings.Join(names, " "), Why: joined(why),
		})
	}
	return m
}

// joined returns the reasons once each, the first few of them.
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
