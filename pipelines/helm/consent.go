package helm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// judging is a storage of Helm releases that takes none that needs more than was
// consented to. Helm stores a release, with all hooks that it will ever run, before
// it sends anything of it to the cluster. What a template makes of the cluster that
// it finds, or of the hour, was not seen at the gate.
type judging struct {
	driver.Driver
	image   asset.Ref // what the IOC runs
	consent []string  // as chart.Needs says
}

// Create stores a release, or refuses it.
func (j judging) Create(key string, rel *release.Release) error {
	manifests := []string{rel.Manifest}
	for _, hook := range rel.Hooks {
		manifests = append(manifests, hook.Manifest)
	}
	needs, err := chart.ManifestNeeds(manifests, rel.Namespace, string(j.image))
	if err != nil {
		return err
	}
	hidden := slices.DeleteFunc(needs, func(need string) bool { return slices.Contains(j.consent, need) })
	if len(hidden) == 0 {
		return j.Driver.Create(key, rel)
	}
	return &diag.Error{
		Kind: diag.Refused, Doing: "deploying", Asset: rel.Name,
		Err: errors.New("its chart needs what could not be seen at the gate: " + strings.Join(hidden, ", ")),
		Fix: fmt.Sprintf("let no template of %s depend on the cluster or on the time, and tag a new version", rel.Name),
	}
}
