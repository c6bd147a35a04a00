// Package record holds what a release leaves behind: the artifacts by digest,
// the checks that passed, and the sources. It is all that crosses from
// releasing to promoting.
package record

import "strings"

// MediaType is the artifact type of a record in a registry.
const MediaType = "application/vnd.tagline.record.v1+json"

// Kind is the kind of asset a record is of.
type Kind string

// The kinds of asset.
const (
	Image    Kind = "image"    // a generic IOC image: generic-iocs/<name>
	Library  Kind = "library"  // a Helm library chart: charts/<name>
	Beamline Kind = "beamline" // a beamline's instances: beamlines/<name>
)

// Record is one release. A release exists when its record does.
type Record struct {
	Schema    string     `json:"schema"` // "tagline.record/v1"
	Kind      Kind       `json:"kind"`
	Asset     string     `json:"asset"`
	Version   string     `json:"version"`             // as in the tag
	Tag       string     `json:"tag"`                 // the git tag, whole
	Commit    string     `json:"commit"`              // the git commit the tag points to, 40 hex digits
	Artifacts []Artifact `json:"artifacts"`           // sorted by name
	Parents   []Parent   `json:"parents,omitempty"`   // released images that this one is built on or runs, nearest first
	Sources   []Source   `json:"sources,omitempty"`   // of the support modules built
	Instances []Instance `json:"instances,omitempty"` // of a beamline, sorted by name
	Checks    []Test     `json:"checks"`              // never empty: what was seen to work
	Gate      Policy     `json:"gate"`                // what promotion must ask for, from beamline.yaml
	Namespace string     `json:"namespace,omitempty"` // of a beamline: where its instances run
	Tool      string     `json:"tool"`                // Tagline's version
}

// Artifact is one thing in the registry.
type Artifact struct {
	Name   string `json:"name"`           // "ioc-simstage-runtime", "bl01t-mo-ioc-01"
	Type   string `json:"type"`           // "image" or "chart"
	Target string `json:"target"`         // "developer", "runtime", or empty for a chart
	Ref    string `json:"ref"`            // "host/path/name:tag"
	Digest string `json:"digest"`         // "sha256:…" of the manifest
	Size   int64  `json:"size,omitempty"` // bytes of all compressed layers
}

// Pinned gives the artifact's address by its digest: "host/path/name@sha256:…".
func (a Artifact) Pinned() string {
	return a.Ref[:max(strings.LastIndex(a.Ref, ":"), 0)] + "@" + a.Digest
}

// Parent is a released image, by digest.
type Parent struct {
	Asset   string `json:"asset"` // or a container image's name for the root
	Version string `json:"version"`
	Ref     string `json:"ref"`    // "host/path/name@sha256:…"
	Digest  string `json:"digest"` // "sha256:…"
}

// Source is where a support module came from.
type Source struct {
	Module string `json:"module"`
	URL    string `json:"url"`    // of the git repository, as in the recipe (before any mirror), or "tree"
	Ref    string `json:"ref"`    // as in the recipe
	Commit string `json:"commit"` // 40 hex digits; for "tree" the hash of the folder
}

// Instance is one IOC instance of a beamline.
type Instance struct {
	Name     string `json:"name"`     // "bl01t-mo-ioc-01": Helm release, Deployment and chart have this name
	Chart    string `json:"chart"`    // "host/path/charts/bl01t-mo-ioc-01@sha256:…"
	Image    string `json:"image"`    // "host/path/ioc-simstage-runtime@sha256:…"
	IOC      string `json:"ioc"`      // the generic IOC's pin: "ioc-simstage 1.0.0"
	ProbePV  string `json:"probePV"`  // the PV that tells whether this IOC lives
	Protocol string `json:"protocol"` // how ProbePV is asked for: "ca" or "pva"
}

// Test is one check of one thing, as data.
type Test struct {
	Name     string   `json:"name"`   // "smoke", "boot"
	Of       string   `json:"of"`     // the image or instance tested
	Digest   string   `json:"digest"` // of the image it ran
	Passed   bool     `json:"passed"`
	Faults   []string `json:"faults,omitempty"`   // each with file:line where known
	Evidence []string `json:"evidence,omitempty"` // what was seen: "BL01T-MO-STAGE-01:RBV is 5 (ca)"
	PVs      []PV     `json:"pvs,omitempty"`      // served, sorted by name
	Sizes    []Size   `json:"sizes,omitempty"`    // of an image's targets, the one it is built on first, then the largest
	Log      string   `json:"log,omitempty"`      // the start-up log's tail, only of a failed test
}

// Size is what one owner has in the layers of an image.
type Size struct {
	Target string `json:"target"` // "developer" or "runtime"
	Owner  string `json:"owner"`  // "parent epics-base" as a whole, "Debian libyaml-0-2", a support module, "ioc", or "other"
	Bytes  int64  `json:"bytes"`  // of its files, not compressed
}

// PV is a process variable that an IOC serves.
type PV struct {
	Name string `json:"name"`
	Type string `json:"type"` // the record type: "ai", "motor"
}

// Policy is what must be true before a beamline is promoted to this release.
type Policy struct {
	Approvers   []string `json:"approvers,omitempty"`   // GitHub users or teams, one of whom must approve
	Environment string   `json:"environment,omitempty"` // GitHub environment that holds the approval
}
