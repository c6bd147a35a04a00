package version

import (
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// mostMeant is how many versions Meant returns at most.
const mostMeant = 3

// Meant returns which of the versions that there are somebody may have meant by one that
// there is not: the one that is spelled nearly the same, and the first others, which are
// the newest where the newest come first.
func Meant(v asset.Version, there []asset.Version) []asset.Version {
	spelled := make([]string, len(there))
	for i, t := range there {
		spelled[i] = t.String()
	}
	first := slices.Index(spelled, strictyaml.Near(v.String(), spelled))
	var all []asset.Version
	if first >= 0 {
		all = append(all, there[first])
	}
	for i, t := range there {
		if i != first && len(all) < mostMeant {
			all = append(all, t)
		}
	}
	return all
}
