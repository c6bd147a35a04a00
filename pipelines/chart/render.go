package chart

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// Render returns the Kubernetes manifests of a packaged chart as Helm would send
// them to a cluster: YAML documents, each after a line "---", in the order of
// the templates' names. The release has the chart's name, in namespace.
func Render(tgz []byte, namespace string) (string, error) {
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	if err != nil {
		return "", fmt.Errorf("reading chart: %w", err)
	}
	manifests, err := render(c, namespace)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		if text := strings.TrimSpace(manifests[name]); text != "" {
			fmt.Fprintf(&b, "---\n%s\n", text)
		}
	}
	return b.String(), nil
}

// render returns what each template of the chart renders to, by the template's name,
// for a first release.
func render(c *helm.Chart, namespace string) (map[string]string, error) {
	return renderFor(c, namespace, true)
}

// renderFor renders for a first release, or for one that replaces another.
func renderFor(c *helm.Chart, namespace string, install bool) (map[string]string, error) {
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
