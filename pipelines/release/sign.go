package release

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/sbom"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// trustSigner makes who signs releases trusted with those that this one is built
// on or runs, and with a record of its own tag that is there already. It comes
// first, before hours of building: a workflow gets its certificate.
func (j *job) trustSigner(ctx context.Context) error {
	if j.Signer == nil {
		return nil
	}
	own, err := j.Signer.Trust(ctx)
	if err != nil {
		return err
	}
	others := j.Trusted
	j.Trusted = func(name asset.Name) []*sign.Trust {
		if others == nil {
			return []*sign.Trust{own}
		}
		return append([]*sign.Trust{own}, others(name)...)
	}
	return nil
}

// signing returns the work of signing, nil when nobody signs: a release that stays
// unsigned does not show that step.
func (j *job) signing() func(context.Context) error {
	if j.Signer == nil {
		return nil
	}
	return j.sign
}

// sign attaches what a release is made of and how it was built to its images,
// and the signature to its record, before sealing makes it visible.
func (j *job) sign(ctx context.Context) error {
	signer := attest.Signer{Registry: j.Registry, By: j.Signer, Repository: j.Repo.Origin()}
	sboms := map[asset.Digest]any{}
	if j.image != nil {
		modules, err := j.modules(ctx, j.rec)
		if err != nil {
			return err
		}
		for _, a := range j.rec.Artifacts {
			if sboms[a.Digest], err = j.sbom(ctx, a, modules); err != nil {
				return err
			}
		}
	}
	if err := signer.Images(ctx, j.rec, sboms); err != nil {
		return err
	}
	return signer.Record(ctx, j.rec)
}

// sbom returns what one target of an image is made of.
func (j *job) sbom(ctx context.Context, a record.Artifact, modules []record.Source) (any, error) {
	status, err := j.image.Target(a.Target).File("/var/lib/dpkg/status").Contents(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the Debian packages of %s: %w", a.Name, err)
	}
	packages, err := sbom.ReadDpkg(strings.NewReader(status))
	if err != nil {
		return nil, fmt.Errorf("listing the Debian packages of %s: %w", a.Name, err)
	}
	tagged, err := fs.Stat(j.files, ".") // its time is the tagged commit's
	if err != nil {
		return nil, err
	}
	return sbom.Document(sbom.Image{
		Name: a.Name, Version: j.rec.Version.String(), Digest: string(a.Digest), Commit: j.rec.Commit,
		Created: tagged.ModTime(), Tool: j.rec.Tool, Packages: packages, Modules: modules,
	}), nil
}

// modules returns the support modules in an image: those built in it, and those
// of the images it is built on, from their records.
func (j *job) modules(ctx context.Context, rec *record.Record) ([]record.Source, error) {
	all := slices.Clone(rec.Sources)
	for len(rec.Parents.Releases) > 0 {
		parent := rec.Parents.Releases[0]
		var err error
		if rec, err = j.lineage().Image(ctx, asset.Pin{Asset: parent.Asset, Version: parent.Version}, ""); err != nil {
			return nil, err
		}
		all = append(all, rec.Sources...)
	}
	return all, nil
}
