package shelf

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Push puts an image into a registry over plain HTTP, unless the tag has that
// digest already. ref is "host:port/repository:tag".
func Push(ctx context.Context, ref string, img v1.Image) error {
	tag, err := name.NewTag(ref, name.Insecure)
	if err != nil {
		return err
	}
	want, err := img.Digest()
	if err != nil {
		return err
	}
	desc, err := remote.Head(tag, remote.WithContext(ctx))
	if err == nil && desc.Digest == want {
		return nil
	}
	var refused *transport.Error
	if err != nil && !(errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound) {
		return err
	}
	return remote.Write(tag, img, remote.WithContext(ctx))
}
