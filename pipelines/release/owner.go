package release

import (
	"context"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// owned refuses an asset that another repository has released: a name in a
// registry belongs to the repository that was there first, and two generic IOCs
// of one name would be mistaken for each other. Releases that do not name their
// repository belong to nobody.
func (j *job) owned(ctx context.Context) error {
	if j.rec.Repository == "" || j.Registry == nil {
		return nil
	}
	versions, err := j.Registry.Records(ctx, j.rec.Asset)
	if err != nil {
		return err
	}
	for _, v := range versions { // newest first; as a rule the first names it
		rec, _, err := j.Registry.Record(ctx, j.rec.Asset, v)
		if err != nil {
			return err
		}
		if rec.Repository == "" {
			continue
		}
		if rec.Repository == j.rec.Repository {
			return nil
		}
		return &diag.Error{
			Kind: diag.Refused, Doing: "releasing", Asset: string(j.rec.Asset), Version: j.rec.Version.String(),
			Err: fmt.Errorf("the name belongs to %s, which released %s; this is %s", rec.Repository, rec.Tag, j.rec.Repository),
			Fix: "rename the asset's folder, or release it from that repository",
		}
	}
	return nil
}
