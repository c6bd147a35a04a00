package recipefile

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

var targetName = regexp.MustCompile(`^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)+$`)

// checkTargets refuses a target that nothing builds for.
func (r *reader) checkTargets(img *recipe.Image, doc *strictyaml.Doc) {
	for i, t := range img.Targets {
		if targetName.MatchString(t) && !recipe.Builds(t) { // the schema refuses other names
			known := slices.Sorted(maps.Keys(recipe.CrossCompilers))
			fix := strictyaml.Meant(t, known, "name one of "+strings.Join(known, ", ")+", or one of RTEMS")
			r.faultAt(doc, strictyaml.Path{"targets", i}, fix, "nothing builds for %s", t)
		}
	}
}
