package content

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// kindOf is the annotation with the kind of an attachment's statement, by which
// cosign finds it: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
const kindOf = "dev.sigstore.bundle.predicateType"

// Attachment returns a statement in the form it has in a registry: body has the
// media type, and kind is the type of its predicate. It refers to subject, the
// manifest that it is about.
func Attachment(subject v1.Descriptor, media, kind string, body []byte) (v1.Image, error) {
	return newReferrer(&v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest},
		blob{types.MediaType(media), []byte("{}")},
		map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", kindOf: kind},
		blob{types.MediaType(media), body})
}

// IsAttachment reports whether an artifact is an attachment of a media type whose
// statement is of a kind.
func IsAttachment(img v1.Image, media, kind string) bool {
	m, err := img.Manifest()
	return err == nil && string(m.Config.MediaType) == media && m.Annotations[kindOf] == kind
}
