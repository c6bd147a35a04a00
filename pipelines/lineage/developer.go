package lineage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Developer returns the developer image, by digest, of the generic IOC that an instance
// of a beamline runs. runs is the release that the beamline runs, nil for none. The error
// is of kind diag.Invalid where the instance has no such image.
func (r Reader) Developer(ctx context.Context, runs *record.Record, instance string) (asset.Ref, error) {
	lacking := func(err error) (asset.Ref, error) {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "looking for the developer image of", Asset: instance, Err: err,
			Fix: "open a shell without --debug",
		}
	}
	i := -1
	if runs != nil {
		i = slices.IndexFunc(runs.Instances, func(i record.Instance) bool { return i.Name == instance })
	}
	if i < 0 {
		return lacking(errors.New("it is not in the release that runs"))
	}
	pin := runs.Instances[i].IOC
	if pin.IsZero() {
		return lacking(errors.New("it is a service, and no IOC"))
	}
	rec, _, err := r.Registry.Record(ctx, pin.Asset, pin.Version)
	if err != nil {
		return "", err
	}
	image := rec.Image(asset.Developer)
	if image.Ref == "" {
		return lacking(fmt.Errorf("%s has none", rec.Tag))
	}
	return image.Pinned(), nil
}
