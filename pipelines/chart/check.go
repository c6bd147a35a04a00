package chart

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// strict reads a manifest and finds every field that Kubernetes does not know.
// Helm brings the same table of kinds with it already. strictJSON does the same
// for one that is JSON.
var (
	strict = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	strictJSON = json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Strict: true})
)

// check renders the chart of these files as Helm will, reads each manifest
// strictly, and sees that Helm can store it all.
func check(files map[string][]byte, bl *beamline.Beamline, inst *beamline.Instance, version string) error {
	var list []*loader.BufferedFile
	for _, path := range slices.Sorted(maps.Keys(files)) {
		list = append(list, &loader.BufferedFile{Name: path, Data: files[path]})
	}
	c, err := loader.LoadFiles(list)
	if err != nil {
		return renderFaults(inst, version, err)
	}
	manifests, err := render(c, bl.Namespace, true)
	if err != nil {
		return renderFaults(inst, version, err)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		for _, err := range checkManifests(manifests[name]) {
			faults = append(faults, &diag.Error{Kind: diag.Invalid, Doing: "checking chart", Asset: inst.Name,
				Version: version,
				File:    templateFile(inst, name), Err: err, Fix: "correct the template"})
		}
	}
	faults = append(faults, checkService(inst, version, manifests)...)
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return checkStored(c, manifests, inst, version)
}

// checkManifests returns the faults of the YAML documents that one template
// rendered to. A kind that Kubernetes does not have built in is left to the
// cluster, which knows its resource definitions.
func checkManifests(text string) (faults []error) {
	docs, err := documents(text)
	for _, doc := range docs {
		if err := checkManifest(doc); err != nil && !runtime.IsNotRegisteredError(err) && !blank(doc) {
			faults = append(faults, err)
		}
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("splitting the manifests: %w", err))
	}
	return faults
}

// checkManifest reads one manifest strictly. As JSON the YAML is read once, not
// twice; only when something is wrong it is read again, for the words.
func checkManifest(doc []byte) error {
	if text, err := yaml.YAMLToJSONStrict(doc); err == nil {
		if _, _, err := strictJSON.Decode(text, nil, nil); err == nil {
			return nil
		}
	}
	_, _, err := strict.Decode(doc, nil, nil)
	return err
}

// blank reports whether a YAML document has nothing but comments.
func blank(doc []byte) bool {
	var content any
	return yaml.Unmarshal(doc, &content) == nil && content == nil
}

// renderFaults names the instance in what is wrong with its values, one fault
// for each, or in whatever else kept its chart from being rendered.
func renderFaults(inst *beamline.Instance, version string, err error) error {
	var wrong valueFaults
	if !errors.As(err, &wrong) {
		return &diag.Error{Kind: diag.Invalid, Doing: "rendering chart", Asset: inst.Name, Version: version,
			File: inst.Folder, Err: err, Fix: "mend the template or the value that it names"}
	}
	var faults []error
	for _, what := range wrong {
		faults = append(faults, &diag.Error{Kind: diag.Invalid, Doing: "checking values of", Asset: inst.Name,
			Version: version,
			File:    inst.File, Err: errors.New(what), Fix: "correct it there or in the beamline's values"})
	}
	return errors.Join(faults...)
}

// templateFile returns the file in the repository that a template of the chart
// came from: the instance's own, or the library chart.
func templateFile(inst *beamline.Instance, name string) string {
	_, below, _ := strings.Cut(name, "/")
	if _, own := inst.Own[below]; own {
		return path.Join(inst.Folder, below)
	}
	return libraryFolder
}
