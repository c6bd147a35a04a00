package record

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Schema is what the field of that name holds: the version of the record's format.
const Schema = "tagline.record/v1"

var (
	digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	pinned = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)
	commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// Validate gives everything that a record may not be, joined: a record is what
// promotion trusts. It asks nothing of the world outside the record.
func (r *Record) Validate() error {
	var f faults
	f.must(r.Schema == Schema, "schema is %q, not %q", r.Schema, Schema)
	f.must(r.Asset != "" && r.Version != "", "asset or version is empty")
	f.must(r.Tag == r.Asset+"/"+r.Version || r.Tag == r.Version, "tag %q is not that of %s %s", r.Tag, r.Asset, r.Version)
	f.must(commit.MatchString(r.Commit), "commit %q is no git commit", r.Commit)
	f.must(r.Tool != "", "tool is empty")
	f.must(len(r.Checks) > 0, "nothing was checked")
	r.validateKind(&f)
	r.validateArtifacts(&f)
	r.validateSources(&f)
	for _, c := range r.Checks {
		f.must(c.Name != "" && c.Of != "", "a check has no name, or says not what it was of")
		f.must(c.Passed, "check %s of %s did not pass", c.Name, c.Of)
		f.must(c.Digest == "" || digest.MatchString(c.Digest), "check %s of %s: digest %q", c.Name, c.Of, c.Digest)
	}
	return errors.Join(f...)
}

// validateKind checks what only one kind of asset has.
func (r *Record) validateKind(f *faults) {
	switch r.Kind {
	case Beamline:
		f.must(r.Namespace != "", "a beamline needs its namespace")
		f.must(len(r.Instances) > 0, "a beamline has no instances")
		r.validateInstances(f)
	case Image, Library:
		f.must(r.Namespace == "" && len(r.Instances) == 0, "only a beamline has a namespace and instances")
	default:
		f.must(false, "kind is %q, not image, library or beamline", r.Kind)
	}
}

func (r *Record) validateArtifacts(f *faults) {
	f.must(len(r.Artifacts) > 0, "it names no artifact")
	seen := map[string]bool{}
	for _, a := range r.Artifacts {
		f.must(a.Name != "" && !seen[a.Ref], "artifact %q at %q is twice there, or has no name", a.Name, a.Ref)
		f.must(digest.MatchString(a.Digest), "artifact %s: digest %q", a.Name, a.Digest)
		tag := ":" + strings.ReplaceAll(r.Version, "+", "_")
		f.must(strings.HasSuffix(a.Ref, tag) && strings.Contains(a.Ref, "/"), "artifact %s: %q is no address with the tag %s", a.Name, a.Ref, tag)
		f.must(a.Type == "chart" && a.Target == "" || a.Type == "image" && (a.Target == "developer" || a.Target == "runtime"),
			"artifact %s: type %q, target %q", a.Name, a.Type, a.Target)
		f.must(a.Type == "image" == (r.Kind == Image), "artifact %s: a release of kind %s has no %s", a.Name, r.Kind, a.Type)
		f.must(a.Size >= 0, "artifact %s: size %d", a.Name, a.Size)
		seen[a.Ref] = true
	}
}

func (r *Record) validateSources(f *faults) {
	for _, p := range r.Parents {
		f.must(p.Asset != "", "a parent has no name")
		f.must(pinned.MatchString(p.Ref) && strings.HasSuffix(p.Ref, "@"+p.Digest), "parent %s: %q is not at digest %q", p.Asset, p.Ref, p.Digest)
	}
	for _, s := range r.Sources {
		f.must(s.Module != "" && s.URL != "", "a source has no module or address")
		f.must(commit.MatchString(s.Commit), "source %s: commit %q", s.Module, s.Commit)
	}
}

func (r *Record) validateInstances(f *faults) {
	charts := map[string]bool{}
	for _, a := range r.Artifacts {
		charts[a.Pinned()] = true
	}
	seen := map[string]bool{}
	for _, i := range r.Instances {
		f.must(i.Name != "" && !seen[i.Name], "instance %q is twice there, or has no name", i.Name)
		f.must(pinned.MatchString(i.Image), "instance %s: image %q is not by digest", i.Name, i.Image)
		f.must(pinned.MatchString(i.Chart) && charts[i.Chart], "instance %s: chart %q is none of the artifacts", i.Name, i.Chart)
		f.must(i.IOC != "" && i.ProbePV != "", "instance %s has no generic IOC or probe PV", i.Name)
		f.must(i.Protocol == "ca" || i.Protocol == "pva", "instance %s: protocol %q is not ca or pva", i.Name, i.Protocol)
		seen[i.Name] = true
	}
}

// faults collects what is wrong.
type faults []error

func (f *faults) must(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}
