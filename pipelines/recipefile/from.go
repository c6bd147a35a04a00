package recipefile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// parent is what from may look like: an image and a version, or one word.
var parent = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]*[a-z0-9])? [!-~]+|[!-~]+)$`)

// from reads what an image is built on: "<name> <version>" is a released image,
// one word is a container image.
func (r *reader) from(img *recipe.Image, from string, doc *strictyaml.Doc) {
	place := strictyaml.Path{"from"}
	if !parent.MatchString(from) {
		return // which the schema refuses
	}
	if strings.Contains(from, " ") {
		pin, err := asset.ParsePin(from)
		if err != nil {
			r.faults.Add(doc.At(place, err))
			return
		}
		img.Parent = pin
		return
	}
	ref, err := name.ParseReference(from)
	switch {
	case err != nil:
		r.faultAt(
			doc, place, "write a container image as debian:trixie-slim, or a generic IOC image and its version",
			"%q is not a container image", from,
		)
	case !tagged(ref, from):
		r.faultAt(
			doc, place,
			fmt.Sprintf("write %s:<tag> for a container image, or %[1]s <version> for a generic IOC image", from),
			"%q has no version", from,
		)
	default:
		img.Base = from
	}
}

// tagged reports whether a reference was written with a tag or a digest.
func tagged(ref name.Reference, written string) bool {
	_, digest := ref.(name.Digest)
	return digest || strings.HasSuffix(written, ":"+ref.Identifier())
}
