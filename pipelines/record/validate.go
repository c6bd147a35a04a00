package record

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Schema is what the field of that name holds: the version of the record's format.
const Schema = "tagline.record/v1"

// commit is a hash of git, SHA-1 or SHA-256.
var commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// isLabel reports whether Kubernetes can call an object so. A rendered file is called by it
// too: it is no way out of a namespace or a folder.
func isLabel(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

// Validate returns everything that a record may not be, joined: a record is what
// promotion trusts. It asks nothing of the world outside the record.
func (r *Record) Validate() error {
	var f faults
	f.must(r.Schema == Schema, "schema is %q, not %q", r.Schema, Schema)
	f.must(r.Asset != "" && !r.Version.IsZero(), "asset or version is empty")
	f.must(
		r.Tag == asset.Tag{Asset: r.Asset, Version: r.Version} || r.Tag == asset.Tag{Version: r.Version},
		"tag %q is not that of %s %s", r.Tag, r.Asset, r.Version,
	)
	f.must(commit.MatchString(r.Commit), "commit %q is no git commit", r.Commit)
	f.must(r.Tool != "", "tool is empty")
	f.must(len(r.Checks) > 0, "nothing was checked")
	r.validateKind(&f)
	r.validateArtifacts(&f)
	r.validateSources(&f)
	r.validateRecipe(&f)
	for _, c := range r.Checks {
		f.must(c.Name != "" && c.Of != "", "a check has no name, or says not what it was of")
		f.must(c.Passed, "check %s of %s did not pass", c.Name, c.Of)
		r.validateTaken(&f, c)
	}
	return errors.Join(f...)
}

// validateKind checks what only one kind of asset has.
func (r *Record) validateKind(f *faults) {
	switch r.Kind {
	case asset.Beamline:
		f.must(isLabel(r.Namespace), "a beamline needs its namespace, and %q is none", r.Namespace)
		f.must(len(r.Instances) > 0, "a beamline has no instances")
		f.must(r.Recipe == nil, "only an image has a recipe")
		r.validateInstances(f)
	case asset.Image, asset.Library:
		f.must(r.Namespace == "" && len(r.Instances) == 0, "only a beamline has a namespace and instances")
		f.must(r.Recipe == nil || r.Kind == asset.Image, "only an image has a recipe")
	default:
		f.must(false, "kind is %q, not image, library or beamline", r.Kind)
	}
}

func (r *Record) validateArtifacts(f *faults) {
	f.must(len(r.Artifacts) > 0, "it names no artifact")
	seen := map[asset.Ref]bool{}
	for _, a := range r.Artifacts {
		f.must(a.Name != "" && !seen[a.Ref], "artifact %q at %q is twice there, or has no name", a.Name, a.Ref)
		f.must(a.Digest != "", "artifact %s: digest %q", a.Name, a.Digest)
		f.must(a.Ref.Tag() == r.Version.OCITag() && a.Ref.Digest() == "" && strings.Contains(a.Ref.Repository(), "/"),
			"artifact %s: %q is no address with the tag :%s", a.Name, a.Ref, r.Version.OCITag())
		f.must(
			a.Target == "" && (a.Type == ChartType || a.Type == InstanceType) || a.Type == ImageType && a.Target != "",
			"artifact %s: type %q, target %q", a.Name, a.Type, a.Target,
		)
		f.must(
			a.Type == ImageType == (r.Kind == asset.Image) && (a.Type != InstanceType || r.Kind == asset.Beamline),
			"artifact %s: a release of kind %s has no %s", a.Name, r.Kind, a.Type,
		)
		f.must(a.Size >= 0, "artifact %s: size %d", a.Name, a.Size)
		seen[a.Ref] = true
	}
}

func (r *Record) validateSources(f *faults) {
	f.must(r.Parents.Root == "" || r.Kind == asset.Image, "only an image has a root")
	f.must(r.Parents.Root == "" || r.Parents.Root.Digest() != "", "root %q is not by digest", r.Parents.Root)
	for _, p := range r.Parents.Releases {
		f.must(p.Asset != "", "a parent has no name")
		f.must(
			p.Digest != "" && p.Ref.Digest() == p.Digest, "parent %s: %q is not at digest %q", p.Asset, p.Ref,
			p.Digest,
		)
	}
	for _, s := range r.Sources {
		f.must(s.Module != "" && s.URL != "", "a source has no module or address")
		f.must(commit.MatchString(s.Commit), "source %s: commit %q", s.Module, s.Commit)
		if s.From != nil {
			f.must(s.Inputs != "", "source %s was taken from %s, and has no inputs", s.Module, s.From.Release)
			r.validateOrigin(f, "source "+s.Module, *s.From)
		}
	}
}

func (r *Record) validateInstances(f *faults) {
	charts := map[asset.Ref]bool{}
	for _, a := range r.Artifacts {
		charts[a.Pinned()] = true
	}
	seen := map[string]bool{}
	for _, i := range r.Instances {
		f.must(isLabel(i.Name) && !seen[i.Name], "instance %q is twice there, or has no name", i.Name)
		f.must(
			i.Chart.Digest() != "" && charts[i.Chart], "instance %s: chart %q is none of the artifacts", i.Name,
			i.Chart,
		)
		seen[i.Name] = true
		if i.Service != "" {
			f.must(
				i.Image == "" && i.IOC.IsZero() && i.ProbePV == "" && i.Protocol == "",
				"service %s has an image, a generic IOC or a probe PV", i.Name,
			)
			continue
		}
		f.must(i.NotBooted == "", "instance %s is an IOC, and was not booted: %s", i.Name, i.NotBooted)
		f.must(i.Image.Digest() != "", "instance %s: image %q is not by digest", i.Name, i.Image)
		f.must(!i.IOC.IsZero() && i.ProbePV != "", "instance %s has no generic IOC or probe PV", i.Name)
		f.must(
			i.Protocol == "ca" || i.Protocol == "pva", "instance %s: protocol %q is not ca or pva", i.Name, i.Protocol,
		)
	}
}

// faults collects what is wrong.
type faults []error

func (f *faults) must(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}
