package release

import (
	"context"
	"fmt"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// noDigest is a digest that no content has. Pushing to it, the engine sends the
// content and its manifest under their own digests and writes no tag: content
// first, tag last.
var noDigest = asset.Digest("sha256:" + strings.Repeat("0", 64))

// publish sends a container to the registry by digest, untagged, and returns the
// digest of its manifest.
func (j *job) publish(ctx context.Context, c *dagger.Container, name string) (asset.Digest, error) {
	published, err := c.Publish(ctx, string(j.Registry.At(name, noDigest)))
	if err != nil {
		return "", err
	}
	ref, err := asset.ParseRef(published)
	if err != nil || ref.Digest() == "" || ref.Digest() == noDigest {
		return "", fmt.Errorf("the engine gave no digest for %s but %q", name, published)
	}
	return ref.Digest(), nil
}
