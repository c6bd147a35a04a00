// Package record holds what a release leaves behind: the artifacts by digest,
// the checks that passed, and the sources. It is all that crosses from
// releasing to promoting.
package record

import (
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// MediaType is the artifact type of a record in a registry.
const MediaType = "application/vnd.tagline.record.v1+json"

// Record is one release. A release exists when its record does.
type Record struct {
	Schema    string        `json:"schema"` // "tagline.record/v1"
	Kind      asset.Kind    `json:"kind"`
	Asset     asset.Name    `json:"asset"`
	Version   asset.Version `json:"version"`             // as in the tag
	Tag       asset.Tag     `json:"tag"`                 // the git tag as git has it, which may leave the asset out
	Commit    string        `json:"commit"`              // the git commit the tag points to, 40 hex digits
	Artifacts []Artifact    `json:"artifacts"`           // sorted by name
	Parents   Parents       `json:"parents,omitzero"`    // what this release is built on or runs
	Sources   []Source      `json:"sources,omitempty"`   // of the support modules built
	Recipe    *Recipe       `json:"recipe,omitempty"`    // of an image: what it was made from
	Instances []Instance    `json:"instances,omitempty"` // of a beamline, sorted by name
	Checks    []Test        `json:"checks"`              // never empty: what was seen to work
	Gate      Policy        `json:"gate"`                // what promotion must ask for, from beamline.yaml
	Namespace string        `json:"namespace,omitempty"` // of a beamline: where its instances run
	// git repository that the asset belongs to, "github.com/some-org/site"; empty where it is not known
	Repository string `json:"repository,omitempty"`
	Tool       string `json:"tool"` // Tagline's version
}

// Artifact is one thing in the registry.
type Artifact struct {
	Name   string       `json:"name"`           // "ioc-simstage-runtime", "bl01t-mo-ioc-01"
	Type   ArtifactType `json:"type"`           // "image", "chart" or "instance"
	Target asset.Target `json:"target"`         // "developer", "runtime", or empty where it is no image
	Ref    asset.Ref    `json:"ref"`            // "host/path/name:tag"
	Digest asset.Digest `json:"digest"`         // "sha256:…" of the manifest
	Size   int64        `json:"size,omitempty"` // bytes of all compressed layers
}

// ArtifactType is what sort of thing an artifact is.
type ArtifactType string

// The types of artifacts.
const (
	ImageType ArtifactType = "image"
	ChartType ArtifactType = "chart"
	// InstanceType is the image of an IOC instance: that of its generic IOC with the
	// config folder as one more layer.
	InstanceType ArtifactType = "instance"
)

// Pinned returns the artifact's address by its digest: "host/path/name@sha256:…".
func (a Artifact) Pinned() asset.Ref { return a.Ref.At(a.Digest) }

// Image returns the release's image of a target; the zero Artifact when it has none.
func (r *Record) Image(t asset.Target) Artifact {
	for _, a := range r.Artifacts {
		if a.Type == ImageType && a.Target == t {
			return a
		}
	}
	return Artifact{}
}

// GenericIOC returns the runtime image of the generic IOC that an instance runs, by
// digest: the instance's image, or what that is built on.
func (r *Record) GenericIOC(i Instance) asset.Ref {
	for _, p := range r.Parents.Releases {
		if p.Asset == i.IOC.Asset && p.Version == i.IOC.Version {
			return p.Ref
		}
	}
	return i.Image
}

// Signature is who signed the record of a release.
type Signature struct {
	Asset  asset.Name `json:"asset"`
	Tag    asset.Tag  `json:"tag"`
	Signer string     `json:"signer"` // as sign.SignedBy returns it
}

// Source is where a support module came from.
type Source struct {
	Module  string `json:"module"`
	URL     string `json:"url"`               // of the git repository, as in the recipe (before any mirror), or "tree"
	Ref     string `json:"ref"`               // as in the recipe
	Commit  string `json:"commit"`            // 40 hex digits; for "tree" the hash of the folder
	Licence string `json:"licence,omitempty"` // SPDX expression, as in the recipe
	// the digest of all that the module's built folder depends on, and of what builds it; a
	// later release with the same takes the folder. Empty where it is not known.
	Inputs asset.Digest `json:"inputs,omitempty"`
	From   *Origin      `json:"from,omitempty"` // which release built it, of a module that was taken
}

// Instance is one IOC instance of a beamline.
type Instance struct {
	Name  string    `json:"name"`  // "bl01t-mo-ioc-01": Helm release, Deployment and chart have this name
	Chart asset.Ref `json:"chart"` // "host/path/charts/bl01t-mo-ioc-01@sha256:…"
	// what its pod runs: "host/path/ioc-simstage-runtime@sha256:…", or an image of its
	// own, "host/path/instances/bl01t-mo-ioc-01@sha256:…"
	Image    asset.Ref `json:"image"`
	IOC      asset.Pin `json:"ioc"`      // the generic IOC's pin: "ioc-simstage 1.0.0"
	ProbePV  string    `json:"probePV"`  // the PV that tells whether this IOC lives
	Protocol string    `json:"protocol"` // how ProbePV is asked for: "ca" or "pva"
	// whether its values say start: false: it comes to the beamline stopped
	Stopped bool `json:"stopped,omitempty"`
	// what this is in place of an IOC, which has all of the four above, where a service
	// has none: its chart says what it runs
	Service string `json:"service,omitempty"`
	// why nothing of a service was booted, where its values say so
	NotBooted string `json:"notBooted,omitempty"`
}

// Runs returns what an instance is, for people: "ioc-simstage 1.0.0", or what a service is.
func (i Instance) Runs() string {
	if i.Service != "" {
		return i.Service
	}
	return i.IOC.String()
}

// Booted returns what the release says of the boot of a service: that it passed, or
// why there was none.
func (r *Record) Booted(service Instance) string {
	passed := slices.ContainsFunc(r.Checks, func(t Test) bool {
		return t.Name == ServiceTest && t.Of == service.Name && t.Passed
	})
	switch {
	case passed:
		return "its boot command passed"
	case service.NotBooted != "":
		return "not booted: " + service.NotBooted
	}
	return "not booted, and its values do not say why"
}

// The names of tests.
const (
	SmokeTest     = "smoke"      // an image's IOC, or its clients, was started
	ContentsTest  = "contents"   // a runtime image has all that its IOC opens
	BootTest      = "boot"       // an instance was started at the image it will run
	ServiceTest   = "service"    // the command that tests a service has passed in the image it will run
	UniquePVsTest = "unique PVs" // no two IOCs of a beamline serve one PV
	GeneratedTest = "generated"  // a config folder is what its generator makes
	PackageTest   = "package"    // a library chart was packaged
)

// Test is one check of one thing, as data.
type Test struct {
	Name   string       `json:"name"`   // one of the constants above
	Of     string       `json:"of"`     // the image or instance tested
	Digest asset.Digest `json:"digest"` // of the image it ran; empty when it ran none
	// of a boot: the digest of all that was tested, and of the tester; a later release that
	// tests the same takes this test
	Inputs asset.Digest `json:"inputs,omitempty"`
	From   *Origin      `json:"from,omitempty"` // where it was run, of a test that was taken from another release
	Passed bool         `json:"passed"`
	Faults []string     `json:"faults,omitempty"` // each with file:line where known
	// what drivers and modules printed at the start that is no fault, sorted
	Notes    []string `json:"notes,omitempty"`
	Evidence []string `json:"evidence,omitempty"` // what was seen: "BL01T-MO-STAGE-01:RBV is 5 (ca)"
	PVs      []PV     `json:"pvs,omitempty"`      // served, sorted by name
	// of an image's targets, the one it is built on first, then the largest
	Sizes []Size `json:"sizes,omitempty"`
	Log   string `json:"log,omitempty"` // the start-up log's tail, only of a failed test
}

// Size is what one owner has in the layers of an image.
type Size struct {
	Target asset.Target `json:"target"` // "developer" or "runtime"
	// "parent epics-base" as a whole, "Debian libyaml-0-2", a support module, "ioc", or "other"
	Owner string `json:"owner"`
	Bytes int64  `json:"bytes"` // of its files, not compressed
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
