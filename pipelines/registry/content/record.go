package content

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// Record returns a record in the form it has in a registry.
func Record(rec *record.Record) (v1.Image, error) {
	body, err := record.Encode(rec)
	if err != nil {
		return nil, err
	}
	return newArtifact(blob{record.MediaType, []byte("{}")}, map[string]string{
		"org.opencontainers.image.title":    string(rec.Asset),
		"org.opencontainers.image.version":  rec.Version.String(),
		"org.opencontainers.image.revision": rec.Commit,
	}, blob{record.MediaType, body})
}
