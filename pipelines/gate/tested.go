package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// tests wants every IOC booted at its image, the policy's checks passed, and none
// failed; it says of each service whether something of it was booted. A check that was
// not run is not a pass, and one that was taken from another release counts where that
// one's record was verified and has it.
func tests(f Facts) []Reason {
	rec := f.Release.Record
	if len(rec.Checks) == 0 {
		return []Reason{no(Tests, "release the tag again", "no check was ever run on it")}
	}
	var faults []Reason
	for _, c := range rec.Checks {
		if !c.Passed {
			why := list(c.Faults)
			if why == "" {
				why = "no reason was recorded"
			}
			faults = append(faults, no(
				Tests, "mend it and tag a new version", "check %s of %s failed: %s", c.Name, c.Of, why,
			))
		}
		if c.From != nil && !attest.Ran(f.Taken, c) {
			faults = append(faults, no(
				Tests, "tag another version and release that with --all, which boots every IOC",
				"check %s of %s was taken from %s, whose record does not show it", c.Name, c.Of, c.From.Release,
			))
		}
	}
	var services []string
	for _, inst := range rec.Instances {
		if inst.Service != "" {
			services = append(services, fmt.Sprintf("service %s: %s", inst.Name, rec.Booted(inst)))
			faults = append(faults, elsewhere(f, inst)...)
			continue
		}
		booted := slices.ContainsFunc(rec.Checks, func(c record.Test) bool {
			return c.Name == record.BootTest && c.Of == inst.Name && c.Digest != "" && c.Digest == inst.Image.Digest()
		})
		if !booted {
			faults = append(faults, no(
				Tests, "release the tag again", "%s was never booted at the image it would run, %s", inst.Name,
				inst.Image,
			))
		}
	}
	for _, name := range f.Policy.Checks {
		if !slices.ContainsFunc(rec.Checks, func(c record.Test) bool { return c.Name == name }) {
			faults = append(faults, no(
				Tests, "release the tag again with a Tagline that runs it",
				"the policy wants the check %q, which was never run on it", name,
			))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	if len(services) > 0 {
		return []Reason{yes(
			Tests, "%d checks passed, among them the boot of every IOC; %s", len(rec.Checks),
			strings.Join(services, "; "),
		)}
	}
	return []Reason{yes(Tests, "%d checks passed, among them the boot of every instance", len(rec.Checks))}
}

// elsewhere refuses the test of a service that was run in an image which its chart does
// not run.
func elsewhere(f Facts, service record.Instance) (faults []Reason) {
	for _, c := range f.Release.Record.Checks {
		runs := slices.ContainsFunc(f.Needs[service.Name], func(need string) bool {
			image, ok := strings.CutPrefix(need, "image ")
			return ok && c.Digest != "" && asset.Ref(image).Digest() == c.Digest
		})
		if c.Name == record.ServiceTest && c.Of == service.Name && !runs {
			faults = append(faults, no(
				Tests, "release the tag again", "%s was booted in an image that its chart does not run, %s",
				service.Name, c.Digest,
			))
		}
	}
	return faults
}
