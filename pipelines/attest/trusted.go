package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Trusted returns the signers that are trusted with the releases of an asset.
type Trusted func(asset.Name) []*sign.Trust

// Anyone returns a Trusted in which each signer may sign the releases of every
// asset.
func Anyone(trust ...*sign.Trust) Trusted { return func(asset.Name) []*sign.Trust { return trust } }

// Release is a release whose record may be read further.
type Release struct {
	Record *record.Record
	Digest asset.Digest // of the record: "sha256:…"
	Signer string       // who signed it; empty when no signature was asked for
}

// Origin returns the release as others name it that have taken something from it.
func (r *Release) Origin() record.Origin {
	return record.Origin{Release: asset.Tag{Asset: r.Record.Asset, Version: r.Record.Version}, Record: r.Digest}
}

// Read reads the record of a release. In this order: the digest of the record,
// its signature by a trusted signer, the record itself, that it is the one that
// was signed, and that it names nothing outside its registry and its own names.
// Nothing that the record names is fetched. digest is the one that is wanted,
// "sha256:…", or empty for the one that the release's tag names now. With a nil
// Trusted no signature is asked for. The error is of kind Refused when the
// record is not to be trusted.
func Read(
	ctx context.Context, reg *registry.Registry, trusted Trusted, name asset.Name, v asset.Version, digest asset.Digest,
) (*Release, error) {
	var err error
	if digest == "" {
		if digest, err = reg.RecordDigest(ctx, name, v); err != nil {
			return nil, err
		}
	}
	r := &Release{Digest: digest}
	var claimed release
	if trusted != nil {
		if claimed, r.Signer, err = recordSignature(ctx, reg, trusted, name, v, digest); err != nil {
			return nil, distrust(name, v, err)
		}
	}
	if r.Record, err = reg.RecordAt(ctx, name, v, digest); err != nil {
		return nil, err
	}
	if trusted != nil && claimed != releaseOf(r.Record) {
		return nil, distrust(name, v, fmt.Errorf(
			"it was signed as the record of %s, not of %s", claimed.Tag, r.Record.Tag,
		))
	}
	if err := bound(reg.Prefix(), r.Record); err != nil {
		return nil, distrust(name, v, err)
	}
	return r, nil
}

// recordSignature returns what a trusted signer says of the record with a digest.
// A repository of one asset has tags without the asset's name.
func recordSignature(
	ctx context.Context, reg *registry.Registry, trusted Trusted, name asset.Name, v asset.Version, digest asset.Digest,
) (claimed release, signer string, err error) {
	ref := reg.RecordRef(name, digest)
	var found *statement
	var faults []error
	for _, tag := range []asset.Tag{{Asset: name, Version: v}, {Version: v}} {
		found, err = signed(ctx, reg, trusted(name), sought{ref: ref, kind: sign.Release, tag: tag})
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if err := json.Unmarshal(found.predicate, &claimed); err != nil {
			return claimed, "", fmt.Errorf("%s: its signature can't be read: %w", ref, err)
		}
		if claimed.Tag != tag || claimed.Asset != name || claimed.Version != v {
			return claimed, "", fmt.Errorf("%s: it was signed as the record of %s, not of %s", ref, claimed.Tag, tag)
		}
		return claimed, found.signer, nil
	}
	return claimed, "", faults[0]
}

// bound reports what a record names outside its registry and its own names: an
// artifact, chart or image elsewhere would be fetched with this registry's
// credentials, or deployed under another asset's name.
func bound(prefix string, rec *record.Record) error {
	var faults []error
	must := func(what string, ref asset.Ref, name string) {
		if want := prefix + "/" + name; ref.Repository() != want {
			faults = append(faults, fmt.Errorf("its %s is %s, not in %s", what, ref, want))
		}
	}
	for _, a := range rec.Artifacts {
		switch a.Type {
		case record.ImageType:
			must("image "+a.Name, a.Ref, rec.Asset.Image(a.Target))
		case record.InstanceType:
			must("image of instance "+a.Name, a.Ref, "instances/"+path.Base(a.Name))
		default:
			must("chart "+a.Name, a.Ref, "charts/"+path.Base(a.Name))
		}
	}
	for _, i := range rec.Instances {
		must("chart of "+i.Name, i.Chart, "charts/"+i.Name)
		if i.Service != "" {
			continue // its images are in its chart
		}
		own := slices.ContainsFunc(rec.Artifacts, func(a record.Artifact) bool {
			return a.Type == record.InstanceType && a.Name == i.Name && a.Pinned() == i.Image
		})
		if !own { // which was looked at above
			must("image of "+i.Name, i.Image, i.IOC.Asset.Image(asset.Runtime))
		}
	}
	for _, p := range rec.Parents.Releases {
		target := asset.Runtime
		if rec.Kind == asset.Image {
			target = asset.Developer
		}
		must("parent "+string(p.Asset), p.Ref, p.Asset.Image(target))
	}
	return errors.Join(faults...)
}

// Chain reads the records of everything that a release is built on or runs, each
// as Read does, and checks that the images which it names are theirs. It fetches
// records, signatures and the manifests of images that instances have of their
// own, and returns what it read, each release once.
func Chain(ctx context.Context, reg *registry.Registry, trusted Trusted, rec *record.Record) ([]*Release, error) {
	return chain(ctx, reg, trusted, rec, map[asset.Ref]bool{})
}

func chain(
	ctx context.Context, reg *registry.Registry, trusted Trusted, rec *record.Record, seen map[asset.Ref]bool,
) (all []*Release, err error) {
	faults := []error{runsParents(ctx, reg, rec)}
	for _, p := range rec.Parents.Releases {
		if seen[p.Ref] {
			continue
		}
		seen[p.Ref] = true
		parent, err := Read(ctx, reg, trusted, p.Asset, p.Version, "")
		if err != nil {
			faults = append(faults, gone(fmt.Sprintf("the release of %s %s", p.Asset, p.Version), err))
			continue
		}
		if !names(parent.Record, p.Ref) {
			faults = append(faults, fmt.Errorf("%s: it is not of the release of %s %s", p.Ref, p.Asset, p.Version))
		}
		all = append(all, parent)
	}
	faults = []error{distrust(rec.Asset, rec.Version, errors.Join(faults...))}
	for _, parent := range slices.Clone(all) {
		more, err := chain(ctx, reg, trusted, parent.Record, seen)
		all, faults = append(all, more...), append(faults, err)
	}
	return all, errors.Join(faults...)
}

// names reports whether an image by its digest is an artifact of a release.
func names(rec *record.Record, ref asset.Ref) bool {
	for _, a := range rec.Artifacts {
		if a.Pinned() == ref {
			return true
		}
	}
	return false
}

// distrust names the release in each fault that names none itself.
func distrust(name asset.Name, v asset.Version, err error) error {
	return refuse(name, v, err, "do not promote it; find out who wrote there")
}

// refuse names the release, and what to do, in each fault that names none itself.
func refuse(name asset.Name, v asset.Version, err error, fix string) error {
	var faults []error
	for _, f := range diag.All(err) {
		var named *diag.Error
		if !errors.As(f, &named) {
			f = &diag.Error{
				Kind: diag.Refused, Doing: "verifying", Asset: string(name), Version: v.String(), Err: f,
				Fix: fix,
			}
		}
		faults = append(faults, f)
	}
	return errors.Join(faults...)
}
