package lineage

import (
	"context"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Owned refuses an asset of the repository home that another repository has
// released: a name in a registry belongs to the repository that was there first,
// and two generic IOCs of one name would be mistaken for each other. Releases
// that do not name their repository belong to nobody, and home is empty for a
// clone of a folder. version is the one to be released; zero for any.
func (r Reader) Owned(ctx context.Context, name asset.Name, version asset.Version, home string) error {
	if home == "" {
		return nil
	}
	versions, err := r.Registry.Records(ctx, name)
	if err != nil {
		return err
	}
	for _, v := range versions { // newest first; as a rule the first names it
		rec, _, err := r.Registry.Record(ctx, name, v)
		if err != nil {
			return err
		}
		if rec.Repository == "" {
			continue
		}
		if rec.Repository == home {
			return nil
		}
		return &diag.Error{
			Kind: diag.Refused, Doing: "releasing", Asset: string(name), Version: version.String(),
			Err: fmt.Errorf("the name belongs to %s, which released %s; this is %s", rec.Repository, rec.Tag, home),
			Fix: "rename the asset's folder, or release it from that repository",
		}
	}
	return nil
}
