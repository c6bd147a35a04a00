// Package manifests holds a beamline's release as files that a tool reads from git:
// the Kubernetes manifests of each instance, and a kustomization.
package manifests

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Set is the manifests of one release of a beamline. The same record gives the same
// bytes each time.
type Set struct {
	Beamline  asset.Name    `json:"beamline"`
	Version   asset.Version `json:"version"`
	Record    asset.Digest  `json:"record"` // its digest
	Signer    string        `json:"signer,omitempty"`
	Namespace string        `json:"namespace"`
	// one for each instance, "bl01t-mo-ioc-01.yaml", in the record's order, then the
	// kustomization
	Files []File `json:"files"`
}

// File is one file of a folder. Its first line says what wrote it, and from which
// record.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"` // YAML documents
}

// Kustomization is the file that names the others, and the namespace that they are
// for. Argo CD, Flux and kubectl apply -k begin there.
const Kustomization = "kustomization.yaml"

// parallel is how many charts are fetched at a time.
const parallel = 4

// Read reads and verifies the record of a release, and the records of what it runs, as
// the gate does; fetches the chart of each instance by the digest in the record, and
// renders it. digest is that of the record, or empty for the one that the release's
// tag names now; with a nil Trusted no signature is asked for.
//
// A chart is rendered as a promotion's Helm does it for a first release: with the
// instance's name, in the record's namespace, with the chart's own values. Resource
// definitions come first. Hooks are left in as they are, with their annotation
// helm.sh/hook: Argo CD runs them as hooks, to Flux and kubectl they are objects like
// others. Templates find an empty cluster. What people set beside a release, as
// stopping or moving an instance, is not in it.
//
// The error joins all faults. It is of kind Refused when the record is not to be
// trusted, or a chart can't be delivered in this way: with an image that is not by
// digest, with objects in another namespace, or with a template that makes something
// else each time.
func Read(
	ctx context.Context, reg *registry.Registry, trusted attest.Trusted, name asset.Name, v asset.Version,
	digest asset.Digest,
) (*Set, error) {
	rel, err := attest.Read(ctx, reg, trusted, name, v, digest)
	if err != nil {
		return nil, reg.Meant(ctx, name, v, err)
	}
	rec := rel.Record
	if rec.Kind != asset.Beamline {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "rendering", Asset: string(name), Version: v.String(),
			Err: fmt.Errorf("it is a release of kind %s", rec.Kind), Fix: "name a beamline",
		}
	}
	if trusted != nil {
		if _, err := attest.Chain(ctx, reg, trusted, rec); err != nil {
			return nil, err
		}
	}
	s := &Set{
		Beamline: name, Version: v, Record: rel.Digest, Signer: rel.Signer, Namespace: rec.Namespace,
		Files: make([]File, len(rec.Instances), len(rec.Instances)+1),
	}
	err = step.EachIndex(ctx, parallel, len(rec.Instances), func(ctx context.Context, i int) error {
		inst := rec.Instances[i]
		archive, err := reg.Chart(ctx, inst.Chart)
		if err != nil {
			return err
		}
		text, err := render(archive, inst, rec)
		s.Files[i] = File{Name: inst.Name + ".yaml", Text: s.mark() + text}
		return err
	})
	if err != nil {
		return nil, err
	}
	last, err := s.kustomization()
	s.Files = append(s.Files, last)
	return s, err
}

// Stream returns the manifests of all instances as one stream of YAML documents. They
// name no namespace.
func (s *Set) Stream() string {
	var b strings.Builder
	for _, f := range s.Files {
		if f.Name != Kustomization {
			b.WriteString(f.Text)
		}
	}
	return b.String()
}

// render returns the manifests of one instance.
func render(archive []byte, inst record.Instance, rec *record.Record) (string, error) {
	refuse := func(fix string, format string, args ...any) error {
		return &diag.Error{
			Kind: diag.Refused, Doing: "rendering", Asset: inst.Name, Version: rec.Version.String(),
			Err: fmt.Errorf(format, args...), Fix: fix,
		}
	}
	const mend = "mend the chart and tag a new version, or promote it with tagline promote"
	if len(validation.IsDNS1123Label(inst.Name)) > 0 || inst.Name+".yaml" == Kustomization {
		return "", refuse("find out who wrote the record", "%q is no name of an instance", inst.Name)
	}
	name, err := chart.Name(archive)
	if err != nil || name != inst.Name {
		return "", refuse("find out who wrote the record", "%s is no chart of it", inst.Chart)
	}
	text, err := chart.Render(archive, rec.Namespace)
	if err != nil {
		return "", refuse(mend, "%w", err)
	}
	again, err := chart.Render(archive, rec.Namespace)
	if err != nil || text != again {
		return "", refuse(mend, "its templates make something else each time")
	}
	needs, err := chart.ManifestNeeds([]string{text}, rec.Namespace, string(inst.Image))
	if err != nil {
		return "", refuse(mend, "%w", err)
	}
	var faults []error
	for _, need := range needs {
		what, name, _ := strings.Cut(need, " ")
		switch {
		case what == "namespace":
			faults = append(faults, refuse(
				mend, "it has objects in the namespace %s, and a kustomization has one, %s", name, rec.Namespace,
			))
		case what == "image" && asset.Ref(name).Digest() == "":
			faults = append(faults, refuse(mend, "its image %s is not by digest", name))
		}
	}
	return text, errors.Join(faults...)
}

// keep lets Flux keep what Helm keeps: autosave volumes, when their instance is gone.
// Argo CD reads Helm's own annotation.
const keep = `- op: add
  path: /metadata/annotations/kustomize.toolkit.fluxcd.io~1prune
  value: disabled
`

// kustomization returns the file that names the others.
func (s *Set) kustomization() (File, error) {
	var resources []string
	for _, f := range s.Files {
		resources = append(resources, f.Name)
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "kustomize.config.k8s.io/v1beta1",
		"kind":       "Kustomization",
		"namespace":  s.Namespace,
		"resources":  resources,
		"patches": []any{map[string]any{
			"target": map[string]any{"annotationSelector": "helm.sh/resource-policy=keep"}, "patch": keep,
		}},
	})
	if err != nil {
		return File{}, fmt.Errorf("writing the kustomization: %w", err)
	}
	return File{Name: Kustomization, Text: s.mark() + string(text)}, nil
}
