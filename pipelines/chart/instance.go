package chart

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// values are the values of an instance's chart: the library chart's inputs.
type values struct {
	Image   string   `json:"image" jsonschema_description:"What the IOC or service runs, by digest: host/path/name@sha256:…"`
	Service string   `json:"service,omitempty" jsonschema_description:"What this is in place of an IOC."`
	Command []string `json:"command,omitempty" jsonschema_description:"The program that a service's container runs, and its arguments; the image's own when left out."`
	beamline.Values
}

// instanceFiles returns the files of an instance's chart by their path in it.
// What the instance brings of its own replaces what is generated.
func instanceFiles(l *Library, bl *beamline.Beamline, inst *beamline.Instance, image,
	version string) (map[string][]byte, error) {
	meta, err := metadata(l, bl, inst, version)
	if err != nil {
		return nil, err
	}
	var all any = values{Image: image, Values: inst.Values}
	ownChart := inst.Service != "" && inst.Foreign == nil
	if is := inst.Foreign; is != nil {
		all = values{Image: string(is.Image), Service: inst.Service, Command: is.Command, Values: inst.Values}
	} else if ownChart {
		all = inst.Values
	}
	vals, err := yaml.Marshal(all)
	if err != nil {
		return nil, fault(inst, inst.File, err)
	}
	files := map[string][]byte{chartutil.ValuesfileName: vals}
	if !ownChart {
		files[schemaFile] = l.files[schemaFile]
		files["templates/ioc.yaml"] = fmt.Appendf(nil, "{{ include %q . }}\n", l.meta.Name+".ioc")
	}
	for path, content := range l.files {
		files["charts/"+l.meta.Name+"/"+path] = content
	}
	maps.Copy(files, inst.Own)
	if !inst.InImage() {
		for name, content := range inst.Config {
			files["config/"+name] = content
		}
	}
	files[chartFile] = meta
	return files, nil
}

// metadata returns Chart.yaml. It says nothing that may differ between two
// packagings of one instance at one version, such as the commit.
func metadata(l *Library, bl *beamline.Beamline, inst *beamline.Instance, version string) ([]byte, error) {
	var m helm.Metadata
	if own, ok := inst.Own[chartFile]; ok {
		if err := yaml.UnmarshalStrict(own, &m); err != nil {
			return nil, fault(inst, inst.Folder+"/"+chartFile, err)
		}
	}
	if m.Name != "" && m.Name != inst.Name {
		return nil, diag.Invalidf(inst.Folder+"/"+chartFile, 0, "name it "+inst.Name+", or leave the name out",
			"the chart is named %s but its folder %s", m.Name, inst.Name)
	}
	m.APIVersion, m.Name, m.Type = helm.APIVersionV2, inst.Name, "application"
	m.Version = version
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Annotations["tagline/beamline"] = string(bl.Name)
	what := "service"
	if inst.Service == "" {
		what, m.AppVersion = "IOC instance", inst.Image.Version.String()
		m.Annotations["tagline/ioc"] = inst.Image.String()
	}
	if m.Description == "" {
		m.Description = fmt.Sprintf("%s %s of beamline %s", what, inst.Name, bl.Name)
	}
	m.Dependencies = append(m.Dependencies, &helm.Dependency{Name: l.meta.Name, Version: l.meta.Version})
	return yaml.Marshal(m)
}

// checkConfig refuses what is no IOC or would not arrive as it is.
func checkConfig(inst *beamline.Instance) error {
	if err := chartutil.ValidateReleaseName(inst.Name); err != nil {
		return diag.Invalidf(inst.Folder, 0, "name the folder with at most 53 lower-case letters, digits and dashes",
			"%s: %w", inst.Name, err)
	}
	if _, ok := inst.Config["st.cmd"]; !ok && !inst.Chart && inst.Service == "" {
		return diag.Invalidf(
			inst.Folder+"/config", 0, "add config/st.cmd", "instance %s has no start-up script", inst.Name,
		)
	}
	if inst.InImage() {
		return nil // a layer has every byte as it is
	}
	for _, name := range slices.Sorted(maps.Keys(inst.Config)) {
		if bytes.HasPrefix(inst.Config[name], []byte("\ufeff")) {
			return diag.Invalidf(inst.Folder+"/config/"+name, 1, "save it as plain UTF-8",
				"instance %s: the file begins with a byte order mark, which Helm drops and an IOC does not understand", inst.Name)
		}
	}
	return nil
}

// fault is a fault in one of the instance's files.
func fault(inst *beamline.Instance, file string, err error) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "packaging chart", Asset: inst.Name, File: file, Err: err,
		Fix: "mend that file"}
}
