package release

import (
	"context"
	"fmt"
	"strings"

	"dagger.io/dagger"
)

// nowhere is a digest that no content has. Pushing to it, the engine sends the
// content and its manifest under their own digests and writes no tag: content
// first, tag last.
var nowhere = "sha256:" + strings.Repeat("0", 64)

// push sends a container to the registry by digest, untagged, and gives the
// digest of its manifest.
func (j *job) push(ctx context.Context, c *dagger.Container, name string) (string, error) {
	ref, err := c.Publish(ctx, j.address(name, nowhere))
	if err != nil {
		return "", err
	}
	digest := ref[strings.LastIndex(ref, "@")+1:]
	if !strings.HasPrefix(digest, "sha256:") || digest == nowhere {
		return "", fmt.Errorf("the engine gave no digest for %s but %q", name, ref)
	}
	return digest, nil
}

// address is something in the registry by its digest: "host/path/name@sha256:…".
func (j *job) address(name, digest string) string {
	return j.Registry.Prefix() + "/" + name + "@" + digest
}
