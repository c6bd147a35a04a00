package chart

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// Name returns the name of a packaged chart.
func Name(tgz []byte) (string, error) {
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	if err != nil {
		return "", fmt.Errorf("reading chart: %w", err)
	}
	return c.Name(), nil
}

// Render returns the Kubernetes manifests of a packaged chart as Helm would send
// them to a cluster: YAML documents, each after a line "---", first the resource
// definitions, then the others in the order of the templates' names. Hooks are among
// them. The release has the chart's name, in namespace.
func Render(tgz []byte, namespace string) (string, error) {
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	if err != nil {
		return "", fmt.Errorf("reading chart: %w", err)
	}
	texts, err := everything(c, namespace, true)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, text := range texts {
		docs, err := documents(text)
		if err != nil {
			return "", fmt.Errorf("splitting the manifests of chart %s: %w", c.Name(), err)
		}
		for _, doc := range docs {
			if !blank(doc) {
				fmt.Fprintf(&b, "---\n%s\n", bytes.TrimSpace(doc))
			}
		}
	}
	return b.String(), nil
}

// everything returns what Helm makes of a chart: the resource definitions, which it
// makes first, then what the templates render to, in the order of their names.
func everything(c *helm.Chart, namespace string, install bool) (texts []string, err error) {
	manifests, err := render(c, namespace, install)
	if err != nil {
		return nil, err
	}
	for _, crd := range c.CRDObjects() {
		texts = append(texts, string(crd.File.Data))
	}
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		if path.Base(name) != "NOTES.txt" { // which Helm shows
			texts = append(texts, manifests[name])
		}
	}
	return texts, nil
}

// documents returns the YAML documents of a text: with an error, those before what
// can't be split.
func documents(text string) (all [][]byte, err error) {
	docs := kyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		doc, err := docs.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, doc)
	}
}

// render returns what each template of the chart renders to, by the template's name,
// for a first release, or for one that replaces another.
func render(c *helm.Chart, namespace string, install bool) (map[string]string, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := checkDependencies(c); err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, map[string]any{}); err != nil {
		return nil, fmt.Errorf("joining the library chart: %w", err)
	}
	release := chartutil.ReleaseOptions{
		Name: c.Name(), Namespace: namespace, Revision: 1, IsInstall: install, IsUpgrade: !install,
	}
	if !install {
		release.Revision++
	}
	// The schema is checked apart: Helm compiles it anew for each chart.
	vals, err := chartutil.ToRenderValuesWithSchemaValidation(c, map[string]any{}, release, nil, true)
	if err != nil {
		return nil, err
	}
	if err := checkValues(c.Schema, vals["Values"].(chartutil.Values)); err != nil {
		return nil, err
	}
	return engine.Render(c, vals)
}

// checkDependencies refuses a chart that names another and does not bring it.
// Helm's own check is in the package that also holds its cluster client, which
// packaging is to do without.
func checkDependencies(c *helm.Chart) error {
	for _, need := range c.Metadata.Dependencies {
		brings := func(d *helm.Chart) bool { return d.Name() == need.Name }
		if !slices.ContainsFunc(c.Dependencies(), brings) {
			return fmt.Errorf("chart %s needs chart %s %s, which is not below its charts folder", c.Name(), need.Name,
				need.Version)
		}
	}
	return nil
}
