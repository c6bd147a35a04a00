package release

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// library chart of every instance chart, from the same tree.
const library = "charts/ioc-lib"

// together is how many IOCs are booted or charts pushed at a time.
const together = 8

// ioc is a released generic IOC that instances run.
type ioc struct {
	rec *record.Record
	img *image.Image
	ref asset.Ref // its runtime image by digest
}

// beamline boots every instance of a beamline and packages their charts.
func (j *job) beamline(ctx context.Context) (*made, error) {
	bl, err := beamline.Read(j.files, string(j.plan.Tag.Asset))
	if err != nil {
		return nil, err
	}
	iocs, err := j.iocs(ctx, bl)
	if err != nil {
		return nil, err
	}
	rec := j.record()
	rec.Gate, rec.Namespace = bl.Gate, bl.Namespace
	for _, pin := range sortedPins(iocs) {
		r := iocs[pin].rec
		rec.Parents.Releases = append(rec.Parents.Releases, parentOf(r, asset.Runtime))
	}
	charts, err := j.charts(ctx, bl, iocs)
	if err != nil {
		return nil, err
	}
	tests := make([]record.Test, len(bl.Instances))
	err = step.Each(ctx, together, upTo(len(tests)), func(ctx context.Context, i int) error {
		inst := bl.Instances[i]
		return step.Run(ctx, "booting "+inst.Name, func(ctx context.Context) error {
			test, err := j.boot(ctx, inst, iocs[inst.Image])
			if err == nil {
				tests[i] = *test
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	rec.Checks = append(tests, unique(bl.Name, tests))
	return &made{rec: rec, publish: func(ctx context.Context) error { return j.publishCharts(ctx, bl, iocs, charts, rec) }}, nil
}

// charts packages the chart of each instance, in the order of the instances.
func (j *job) charts(ctx context.Context, bl *beamline.Beamline, iocs map[asset.Pin]ioc) ([][]byte, error) {
	folder, err := fs.Sub(j.files, library)
	if err != nil {
		return nil, err
	}
	lib, err := chart.ReadLibrary(folder)
	if err != nil {
		return nil, err
	}
	charts := make([][]byte, len(bl.Instances))
	err = step.Each(ctx, together, upTo(len(charts)), func(_ context.Context, i int) (err error) {
		inst := bl.Instances[i]
		charts[i], err = lib.Package(bl, inst, string(iocs[inst.Image].ref), j.plan.Tag.Version.String())
		return err
	})
	return charts, err
}

// upTo gives the numbers below n.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// iocs gives the released generic IOC of every pin, or all pins that are not
// released.
func (j *job) iocs(ctx context.Context, bl *beamline.Beamline) (map[asset.Pin]ioc, error) {
	files := map[asset.Pin]string{}
	for _, inst := range bl.Instances {
		if _, ok := files[inst.Image]; !ok {
			files[inst.Image] = inst.File
		}
	}
	all := map[asset.Pin]ioc{}
	var mu sync.Mutex
	err := step.Each(ctx, together, sortedPins(files), func(ctx context.Context, pin asset.Pin) error {
		one, err := j.ioc(ctx, pin, files[pin])
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

// ioc gives the generic IOC of a pin: the released one, or that of the tree,
// whose record says no more than its name.
func (j *job) ioc(ctx context.Context, pin asset.Pin, file string) (ioc, error) {
	if !j.inTree {
		rec, img, err := j.released(ctx, pin, file)
		if err != nil {
			return ioc{}, err
		}
		return ioc{rec: rec, img: img, ref: rec.Image(asset.Runtime).Pinned()}, nil
	}
	recipes, err := recipe.Read(j.files)
	if err != nil {
		return ioc{}, err
	}
	img, err := j.build(ctx, j.files, recipes, string(pin.Asset))
	rec := &record.Record{Asset: pin.Asset, Version: pin.Version}
	return ioc{rec: rec, img: img, ref: j.Registry.At(pin.Asset.Image(asset.Runtime), nowhere)}, err
}

// boot starts one instance at its pinned image, as its pod will.
func (j *job) boot(ctx context.Context, inst *beamline.Instance, of ioc) (*record.Test, error) {
	test, err := smoke.Tester{Client: j.Client}.Run(ctx, smoke.Subject{
		Name: inst.Name, Folder: path.Join(inst.Folder, "config"), File: inst.File,
		Digest:  of.rec.Image(asset.Runtime).Digest,
		Runtime: of.img.Runtime, Clients: of.img.Developer, Config: inst.Config,
		Checks: []recipe.Check{{PV: inst.Values.ProbePV, Line: 1}},
		Env:    inst.Values.Env, Grace: inst.Values.GraceSeconds,
		User: fmt.Sprintf("%d:%d", inst.Values.UID, inst.Values.GID),
	})
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "booting", Asset: inst.Name, Version: j.plan.Tag.Version.String(), Err: err}
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
				result.Faults = append(result.Faults, fmt.Sprintf("beamlines/%s: %s and %s both serve %s; give one of them other macros", name, other, t.Of, pv.Name))
			}
			by[pv.Name] = t.Of
		}
	}
	result.Passed = len(result.Faults) == 0
	result.Evidence = []string{fmt.Sprintf("%d PVs of %d IOCs", len(by), len(tests))}
	return result
}

// publishCharts pushes all charts by digest; sealing tags them.
func (j *job) publishCharts(ctx context.Context, bl *beamline.Beamline, iocs map[asset.Pin]ioc, charts [][]byte, rec *record.Record) error {
	artifacts := make([]record.Artifact, len(bl.Instances))
	rec.Instances = make([]record.Instance, len(bl.Instances))
	err := step.Run(ctx, "publishing "+j.plan.Tag.String(), func(ctx context.Context) error {
		return step.Each(ctx, together, upTo(len(charts)), func(ctx context.Context, i int) error {
			inst := bl.Instances[i]
			pushed, err := j.Registry.PushChart(ctx, charts[i])
			if err != nil {
				return err
			}
			artifacts[i] = pushed
			rec.Instances[i] = record.Instance{
				Name: inst.Name, Chart: pushed.Pinned(),
				Image: iocs[inst.Image].ref, IOC: inst.Image,
				ProbePV: inst.Values.ProbePV, Protocol: cmp.Or(inst.Values.Protocol, "ca"),
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	rec.Artifacts = sorted(artifacts)
	return nil
}

// sortedPins gives a map's pins, in the order of their text.
func sortedPins[V any](of map[asset.Pin]V) []asset.Pin {
	return slices.SortedFunc(maps.Keys(of), func(a, b asset.Pin) int { return strings.Compare(a.String(), b.String()) })
}
