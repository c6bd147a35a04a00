package release

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// sideBySide is how many IOCs are booted or charts pushed at a time.
const sideBySide = 8

// ioc is a released generic IOC that instances run.
type ioc struct {
	rec *record.Record
	img *image.Image
	ref asset.Ref // its runtime image by digest

	own    *dagger.Container // the image of an instance that has one of its own
	digest asset.Digest      // of the image that is booted
}

// beamlineJob boots every instance of a beamline and publishes their charts.
type beamlineJob struct {
	*job
	bl      *beamline.Beamline
	library *chart.Library
	iocs    map[asset.Pin]ioc
	// Both in the order of the instances. own are the images of those whose config
	// folder is a layer; nil for the others.
	own    []*registry.Instance
	charts [][]byte
	pushed bool // own are in the registry
	// The release before this one, nil for the first, or why it can't be read or trusted.
	former    *attest.Release
	formerErr error

	boot  func(context.Context, []smoke.Subject) ([]*record.Test, error)
	serve func(context.Context, smoke.Service) (*record.Test, error)
}

func (b *beamlineJob) work() work {
	return work{plan: b.plan, build: b.build, push: b.push, test: b.test, pack: b.pack}
}

// plan reads the beamline and finds the generic IOCs that its instances run.
func (b *beamlineJob) plan(ctx context.Context) (err error) {
	if b.bl, err = beamline.Read(b.files, b.job.plan.Tag.Asset); err != nil {
		return err
	}
	if b.library, err = b.Builder.library(ctx, b.files, b.site.Library); err != nil {
		return err
	}
	if b.iocs, err = b.released(ctx); err != nil {
		return err
	}
	b.rec.Gate, b.rec.Namespace = b.bl.Gate, b.bl.Namespace
	if b.inTree {
		return nil
	}
	b.former, b.formerErr = b.before(ctx)
	if err := b.shrinks(); err != nil {
		return err
	}
	for _, pin := range lineage.SortedPins(b.iocs) {
		b.rec.Parents.Releases = append(b.rec.Parents.Releases, parentOf(b.iocs[pin].rec, asset.Runtime))
	}
	return nil
}

// shrinks refuses autosave volumes that are smaller than in the release before. Where
// its tree can't be read, as in a clone without its commit, nothing is known of them,
// and a promotion keeps the size that a volume has.
func (b *beamlineJob) shrinks() error {
	if b.former == nil {
		return nil
	}
	rec := b.former.Record
	files, err := b.Repo.At(rec.Commit)
	if err != nil {
		return nil
	}
	was, err := beamline.Read(files, rec.Asset)
	if err != nil {
		return nil
	}
	return b.bl.Shrinks(b.files, was, asset.Tag{Asset: rec.Asset, Version: rec.Version}.String())
}

// build checks that config folders are what their generators make, makes the images
// that instances have of their own, and packages the chart of each.
func (b *beamlineJob) build(ctx context.Context) error {
	if err := b.generate(ctx); err != nil {
		return err
	}
	b.own = make([]*registry.Instance, len(b.bl.Instances))
	b.charts = make([][]byte, len(b.bl.Instances))
	at := b.job.plan.Tag.Version
	return step.EachIndex(ctx, sideBySide, len(b.charts), func(ctx context.Context, i int) (err error) {
		inst := b.bl.Instances[i]
		if inst.InImage() && !b.inTree { // what the tree builds is in no registry
			b.own[i], err = b.Registry.NewInstance(ctx, inst.Name, at, b.iocs[inst.Image].ref, inst.Config)
			if err != nil {
				return err
			}
		}
		b.charts[i], err = b.library.Package(b.bl, inst, string(b.runs(i)), at.String())
		return err
	})
}

// runs returns the image that an instance's pod runs, by digest.
func (b *beamlineJob) runs(i int) asset.Ref {
	if own := b.own[i]; own != nil {
		return own.Artifact.Pinned()
	}
	return b.iocs[b.bl.Instances[i].Image].ref // none of a service
}

// push pushes the images that instances have of their own: what is booted is what
// is published.
func (b *beamlineJob) push(ctx context.Context) error {
	err := step.EachIndex(ctx, sideBySide, len(b.own), func(ctx context.Context, i int) error {
		if b.own[i] == nil {
			return nil
		}
		return b.Registry.PushInstance(ctx, b.own[i])
	})
	b.pushed = err == nil
	return err
}

// pack pushes all charts by digest; sealing tags them.
func (b *beamlineJob) pack(ctx context.Context) error {
	artifacts := make([]record.Artifact, len(b.charts))
	err := step.EachIndex(ctx, sideBySide, len(b.charts), func(ctx context.Context, i int) (err error) {
		artifacts[i], err = b.Registry.PushChart(ctx, b.charts[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, inst := range b.bl.Instances {
		b.rec.Instances = append(b.rec.Instances, recorded(inst, artifacts[i].Pinned(), b.runs(i)))
	}
	for _, own := range b.own {
		if own != nil {
			artifacts = append(artifacts, own.Artifact)
		}
	}
	b.rec.Artifacts = sorted(artifacts)
	return nil
}

// recorded returns what the record says of an instance, with its chart and what it runs.
func recorded(inst *beamline.Instance, chart, runs asset.Ref) record.Instance {
	if inst.Service != "" {
		return record.Instance{Name: inst.Name, Chart: chart, Service: inst.Service, NotBooted: inst.NotBooted}
	}
	return record.Instance{
		Name: inst.Name, Chart: chart, Image: runs, IOC: inst.Image,
		ProbePV: inst.Values.ProbePV, Protocol: inst.Values.ProbeProtocol(), Stopped: !inst.Values.Starts(),
	}
}

// released returns the generic IOC of every pin, or an error for each pin that
// is not released.
func (b *beamlineJob) released(ctx context.Context) (map[asset.Pin]ioc, error) {
	files := lineage.Pins(b.bl)
	all := map[asset.Pin]ioc{}
	var mu sync.Mutex
	err := step.Each(ctx, sideBySide, lineage.SortedPins(files), func(ctx context.Context, pin asset.Pin) error {
		one, err := b.ioc(ctx, pin, files[pin])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all[pin] = one
		return nil
	})
	return all, err
}

// ioc returns the generic IOC of a pin: the released one, or that of the tree,
// whose record holds no more than its name, and which no registry has.
func (j *job) ioc(ctx context.Context, pin asset.Pin, file string) (ioc, error) {
	if !j.inTree {
		rec, err := j.lineage().IOC(ctx, pin, file)
		if err != nil {
			return ioc{}, err
		}
		runtime := rec.Image(asset.Runtime)
		return ioc{rec: rec, img: j.pulled(rec), ref: runtime.Pinned(), digest: runtime.Digest}, nil
	}
	assets, err := plan.Assets(j.files)
	if err != nil {
		return ioc{}, err
	}
	if assets[pin.Asset] != asset.Image {
		return ioc{}, diag.Invalidf(file, 0, "leave out --in-tree, to boot it at the release",
			"it runs %s, which can't be built from this tree: it has no image of that name", pin)
	}
	img, err := j.fromTree(ctx, pin)
	rec := &record.Record{Asset: pin.Asset, Version: pin.Version}
	ref := asset.Ref("registry.invalid/" + pin.Asset.Image(asset.Runtime) + "@" + string(noDigest))
	return ioc{rec: rec, img: img, ref: ref}, err
}

// sorted puts artifacts in the record's order.
func sorted(artifacts []record.Artifact) []record.Artifact {
	slices.SortFunc(artifacts, func(a, b record.Artifact) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Type), string(b.Type)))
	})
	return artifacts
}
