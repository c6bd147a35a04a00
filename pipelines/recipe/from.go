package recipe

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// from reads what an image is built on: "<name> <version>" is an image of the
// tree, one word is a container image.
func (r *reader) from(img *Image, from string, doc *strictyaml.Doc) {
	at := strictyaml.Path{"from"}
	if !doc.Good("from") || from == "" {
		return
	}
	if strings.ContainsAny(from, " \t\n") {
		pin, err := version.ParsePin(from)
		if err != nil {
			r.say(doc, at, "write an image and its version, as in epics-base 7.0.8.1r1.0", "%q is not an image and a version", from)
			return
		}
		img.Parent = pin
		return
	}
	ref, err := name.ParseReference(from)
	switch {
	case err != nil:
		r.say(doc, at, "write a container image as debian:trixie-slim, or an image of "+Dir+" and its version", "%q is not a container image: %w", from, err)
	case !tagged(ref, from):
		r.say(doc, at, "add its tag or digest, as in debian:trixie-slim; of an image of "+Dir+" the version, as in epics-base 7.0.8.1r1.0", "%q says not which %s", from, from)
	default:
		img.Base = from
	}
}

// tagged tells whether a reference was written with a tag or a digest.
func tagged(ref name.Reference, written string) bool {
	_, digest := ref.(name.Digest)
	return digest || strings.HasSuffix(written, ":"+ref.Identifier())
}

// checkParent refuses a parent that the tree does not have, and an image that
// is built on itself.
func (r *reader) checkParent(img *Image, doc *strictyaml.Doc) {
	p := img.Parent.Asset
	if p == "" {
		return
	}
	if r.tree.Images[p] == nil {
		r.say(doc, strictyaml.Path{"from"}, r.meant(p, keys(r.tree.Images), "add "+Dir+"/"+p+"/image.yaml"), "there is no image %q", p)
	}
}
