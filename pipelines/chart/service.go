package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// checkService refuses a service that a promotion could not look after: one whose
// images may be others tomorrow, and one without the Deployment of its name that is
// waited for, stopped and started. manifests are by the template that made them.
func checkService(inst *beamline.Instance, version string, manifests map[string]string) (faults []error) {
	if inst.Service == "" {
		return nil
	}
	fault := func(file, fix, format string, args ...any) {
		faults = append(faults, &diag.Error{
			Kind: diag.Invalid, Doing: "checking the chart of service", Asset: inst.Name, Version: version, File: file,
			Err: fmt.Errorf(format, args...), Fix: fix,
		})
	}
	deployed := false
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		all, err := objects(manifests[name])
		if err != nil {
			continue // checkManifests has said it
		}
		for _, o := range all {
			deployed = deployed || kindOf(o) == "Deployment.apps" && fields(o["metadata"])["name"] == inst.Name
		}
		needs, err := ManifestNeeds([]string{manifests[name]}, "", "")
		if err != nil {
			continue
		}
		for _, need := range needs {
			image, ok := strings.CutPrefix(need, "image ")
			if ok && asset.Ref(image).Digest() == "" {
				fault(templateFile(inst, name), "name it with its digest, as in host/name:1.2.3@sha256:…",
					"image %q is not named by digest", image)
			}
		}
	}
	if !deployed {
		fault(inst.Folder+"/templates", "name a Deployment {{ .Chart.Name }}",
			"it has no Deployment of its name, which is waited for, stopped and started")
	}
	return faults
}
