package release

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
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
}

// beamlineJob boots every instance of a beamline and publishes their charts.
type beamlineJob struct {
	*job
	bl      *beamline.Beamline
	library *chart.Library
	iocs    map[asset.Pin]ioc
	charts  [][]byte // in the order of the instances

	boot func(context.Context, *beamline.Instance, ioc) (*record.Test, error)
}

func (b *beamlineJob) work() work {
	return work{plan: b.plan, build: b.build, test: b.test, pack: b.push}
}

// plan reads the beamline and finds the generic IOCs that its instances run.
func (b *beamlineJob) plan(ctx context.Context) (err error) {
	if b.bl, err = beamline.Read(b.files, string(b.job.plan.Tag.Asset)); err != nil {
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
	for _, pin := range lineage.SortedPins(b.iocs) {
		b.rec.Parents.Releases = append(b.rec.Parents.Releases, parentOf(b.iocs[pin].rec, asset.Runtime))
	}
	return nil
}

// build packages the chart of each instance.
func (b *beamlineJob) build(ctx context.Context) error {
	b.charts = make([][]byte, len(b.bl.Instances))
	return step.EachIndex(ctx, sideBySide, len(b.charts), func(_ context.Context, i int) (err error) {
		inst := b.bl.Instances[i]
		b.charts[i], err = b.library.Package(
			b.bl, inst, string(b.iocs[inst.Image].ref), b.job.plan.Tag.Version.String(),
		)
		return err
	})
}

// test boots every instance, and sees that no two serve one PV.
func (b *beamlineJob) test(ctx context.Context) error {
	tests := make([]record.Test, len(b.bl.Instances))
	err := step.EachIndex(ctx, sideBySide, len(tests), func(ctx context.Context, i int) error {
		inst := b.bl.Instances[i]
		return step.Run(ctx, "booting "+inst.Name, func(ctx context.Context) error {
			test, err := b.boot(ctx, inst, b.iocs[inst.Image])
			if err == nil {
				tests[i] = *test
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	b.rec.Checks = append(tests, unique(b.bl.Name, tests))
	return nil
}

// push pushes all charts by digest; sealing tags them.
func (b *beamlineJob) push(ctx context.Context) error {
	artifacts := make([]record.Artifact, len(b.charts))
	err := step.EachIndex(ctx, sideBySide, len(b.charts), func(ctx context.Context, i int) (err error) {
		artifacts[i], err = b.Registry.PushChart(ctx, b.charts[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, inst := range b.bl.Instances {
		b.rec.Instances = append(b.rec.Instances, record.Instance{
			Name: inst.Name, Chart: artifacts[i].Pinned(), Image: b.iocs[inst.Image].ref, IOC: inst.Image,
			ProbePV: inst.Values.ProbePV, Protocol: inst.Values.ProbeProtocol(),
		})
	}
	b.rec.Artifacts = sorted(artifacts)
	return nil
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
// whose record holds no more than its name.
func (j *job) ioc(ctx context.Context, pin asset.Pin, file string) (ioc, error) {
	if !j.inTree {
		rec, err := j.lineage().IOC(ctx, pin, file)
		if err != nil {
			return ioc{}, err
		}
		return ioc{rec: rec, img: j.pulled(rec), ref: rec.Image(asset.Runtime).Pinned()}, nil
	}
	assets, err := plan.Assets(j.files)
	if err != nil {
		return ioc{}, err
	}
	if assets[pin.Asset] != asset.Image {
		return ioc{}, diag.Invalidf(file, 0, "leave out --in-tree, to boot it at the release",
			"it runs %s, which can't be built from this tree: it has no image of that name", pin)
	}
	img, err := j.build(ctx, j.files, string(pin.Asset))
	rec := &record.Record{Asset: pin.Asset, Version: pin.Version}
	return ioc{rec: rec, img: img, ref: j.Registry.At(pin.Asset.Image(asset.Runtime), noDigest)}, err
}

// subject is an instance as it is booted: at its pinned image, as its pod will
// start it.
func subject(inst *beamline.Instance, run ioc) smoke.Subject {
	return smoke.Subject{
		Name: inst.Name, Folder: path.Join(inst.Folder, "config"), File: inst.File,
		Digest:  run.rec.Image(asset.Runtime).Digest,
		Runtime: run.img.Runtime, Clients: run.img.Developer, Config: inst.Config,
		Checks: []recipe.Check{{PV: inst.Values.ProbePV, Line: 1}},
		Env:    inst.Values.Env, Grace: inst.Values.Grace(), User: inst.Values.User(),
		ProbePV: inst.Values.ProbePV, Protocol: inst.Values.ProbeProtocol(), Advances: inst.Values.ProbeAdvances,
		Startup: inst.Values.StartupRules(), Autosave: inst.Values.Autosave != "",
	}
}

// boot starts one instance.
func (j *job) boot(ctx context.Context, inst *beamline.Instance, run ioc) (*record.Test, error) {
	test, err := smoke.Tester{Client: j.Client}.Run(ctx, subject(inst, run))
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "booting", Asset: inst.Name, Version: j.plan.Tag.Version.String(), Err: err,
		}
	}
	test.Name = record.BootTest
	return test, nil
}

// unique checks that no two IOCs of a beamline serve one PV.
func unique(name string, tests []record.Test) record.Test {
	result := record.Test{Name: record.UniquePVsTest, Of: name}
	by := map[string]string{}
	for _, t := range tests {
		for _, pv := range t.PVs {
			if other, ok := by[pv.Name]; ok {
				result.Faults = append(result.Faults, fmt.Sprintf(
					"beamlines/%s: %s and %s both serve %s; give one of them other macros", name, other, t.Of, pv.Name,
				))
			}
			by[pv.Name] = t.Of
		}
	}
	result.Passed = len(result.Faults) == 0
	result.Evidence = []string{fmt.Sprintf("%d PVs of %d IOCs", len(by), len(tests))}
	return result
}

// sorted puts artifacts in the record's order.
func sorted(artifacts []record.Artifact) []record.Artifact {
	slices.SortFunc(artifacts, func(a, b record.Artifact) int { return strings.Compare(a.Name, b.Name) })
	return artifacts
}
