package release

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Generate makes the config folders of a beamline's instances that have sources: of
// the named ones, or of all. files is a working copy, as what is made is committed
// with its sources. It returns the files of each folder by the folder's path from
// the root. With inTree the images in which they are made are built from the tree.
func (b Builder) Generate(
	ctx context.Context, files fs.FS, name asset.Name, inTree bool, only ...string,
) (map[string]map[string][]byte, error) {
	bl, err := beamline.ReadUnmade(files, name)
	if err != nil {
		return nil, err
	}
	chosen, err := sourced(bl, only)
	if err != nil {
		return nil, err
	}
	j := &job{Pipeline: Pipeline{Builder: b}, files: files, inTree: inTree}
	g, err := j.generators(ctx, chosen, nil)
	if err != nil {
		return nil, err
	}
	made := map[string]map[string][]byte{}
	var mu sync.Mutex
	return made, step.Each(ctx, sideBySide, chosen, func(ctx context.Context, inst *beamline.Instance) error {
		config, err := g.config(ctx, inst)
		mu.Lock()
		defer mu.Unlock()
		made[path.Join(inst.Folder, "config")] = config
		return err
	})
}

// sourced returns the named instances of a beamline, or all that have sources.
func sourced(bl *beamline.Beamline, only []string) (chosen []*beamline.Instance, err error) {
	var can []string
	for _, inst := range bl.Instances {
		if inst.Generator != nil {
			can = append(can, inst.Name)
			if len(only) == 0 || slices.Contains(only, inst.Name) {
				chosen = append(chosen, inst)
			}
		}
	}
	for _, name := range only {
		if slices.Contains(can, name) {
			continue
		}
		fix := "name one of " + strings.Join(can, ", ")
		if len(can) == 0 {
			fix = "add generate/ to an instance, and the command to its values.yaml"
		}
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "looking for a generated instance", Asset: name,
			Err: fmt.Errorf("beamline %s has none of that name", bl.Name), Fix: fix}
	}
	return chosen, nil
}

// generators runs the generators of a beamline's instances.
type generators struct {
	*job
	images map[asset.Pin]*dagger.Container // that they run in: developer images
}

// generators finds the images that the generators of instances run in: among those
// that the beamline's IOCs run, which were found before, released ones, or the tree's.
func (j *job) generators(
	ctx context.Context, chosen []*beamline.Instance, iocs map[asset.Pin]ioc,
) (generators, error) {
	g := generators{j, map[asset.Pin]*dagger.Container{}}
	for _, inst := range chosen {
		by := inst.Generator
		if g.images[by.Image] != nil {
			continue
		}
		img := iocs[by.Image].img
		if img == nil {
			var err error
			if img, err = j.generatorImage(ctx, by); err != nil {
				return g, err
			}
		}
		g.images[by.Image] = img.Developer
	}
	return g, nil
}

// generatorImage returns the image that a generator names.
func (j *job) generatorImage(ctx context.Context, by *beamline.Generator) (*image.Image, error) {
	if j.inTree {
		return j.fromTree(ctx, by.Image)
	}
	rec, err := j.lineage().Image(ctx, by.Image, by.File)
	if err != nil {
		return nil, err
	}
	return j.pulled(rec), nil
}

// config runs the generator of an instance and returns the config folder that it
// makes. What it makes is refused as it would be if it were written by hand.
func (g generators) config(ctx context.Context, inst *beamline.Instance) (config map[string][]byte, err error) {
	err = step.Run(ctx, "generating "+inst.Name, func(ctx context.Context) error {
		run, err := g.container(inst)
		if err != nil {
			return err
		}
		err = engine.Export(ctx, run.Directory(layout.Config), "config", func(files fs.FS) (err error) {
			config, err = startup.Config(files, "config")
			return err
		})
		if err != nil {
			return generatorFailed(inst, err)
		}
		return nil
	})
	return config, err
}

// container returns the developer image with an instance's sources, after its
// generator has run.
func (g generators) container(inst *beamline.Instance) (*dagger.Container, error) {
	const sources = "/epics/" + beamline.SourcesFolder
	dir := g.Client.Directory()
	for _, folder := range inst.Generator.Folders {
		files, err := engine.Folder(g.Client, g.files, folder)
		if err != nil {
			return nil, err
		}
		dir = dir.WithDirectory("/", files)
	}
	run := g.images[inst.Generator.Image].WithDirectory(sources, dir).WithWorkdir(sources).
		WithDirectory(layout.Config, g.Client.Directory()).WithEnvVariable("IOC_NAME", inst.Name)
	for _, name := range slices.Sorted(maps.Keys(inst.Values.Env)) {
		run = run.WithEnvVariable(name, inst.Values.Env[name])
	}
	return run.WithExec(inst.Generator.Command), nil
}

// generatorFailed is the error of a generator that ended with a failure, or made no
// config folder that an IOC could be started with.
func generatorFailed(inst *beamline.Instance, err error) error {
	return &diag.Error{
		Kind: diag.Invalid, Doing: "generating the config folder of", Asset: inst.Name,
		File: inst.Generator.File, Err: err,
		Fix: fmt.Sprintf("mend %s in %s, or its sources in %s", strings.Join(inst.Generator.Command, " "),
			inst.Generator.File, strings.Join(inst.Generator.Folders, " and ")),
	}
}

// generate checks that the config folders of the beamline that are made from sources
// are what their generators make of them.
func (b *beamlineJob) generate(ctx context.Context) error {
	chosen, err := sourced(b.bl, nil)
	if err != nil {
		return err
	}
	g, err := b.generators(ctx, chosen, b.iocs)
	if err != nil {
		return err
	}
	b.rec.Checks = make([]record.Test, len(chosen))
	return step.EachIndex(ctx, sideBySide, len(chosen), func(ctx context.Context, i int) error {
		config, err := g.config(ctx, chosen[i])
		b.rec.Checks[i] = generated(b.bl.Name, chosen[i], config)
		return err
	})
}

// generated is the test that the committed config folder of an instance is the one
// that its generator makes.
func generated(name asset.Name, inst *beamline.Instance, config map[string][]byte) record.Test {
	by := inst.Generator
	test := record.Test{Name: record.GeneratedTest, Of: inst.Name}
	fault := func(file, what string) {
		test.Faults = append(test.Faults, fmt.Sprintf("%s: %s; run tagline generate %s %s, and commit what it writes",
			path.Join(inst.Folder, "config", file), what, name, inst.Name))
	}
	both := maps.Clone(config)
	maps.Copy(both, inst.Config)
	for _, file := range slices.Sorted(maps.Keys(both)) {
		here, ok := inst.Config[file]
		made, makes := config[file]
		switch {
		case !ok:
			fault(file, "it is not there, and the generator makes it")
		case !makes:
			fault(file, "the generator does not make it")
		case !bytes.Equal(here, made):
			fault(fmt.Sprintf("%s:%d", file, differsAt(here, made)), "the generator makes something else from here on")
		}
	}
	if test.Passed = len(test.Faults) == 0; test.Passed {
		test.Evidence = []string{fmt.Sprintf("config/ is what %s makes of %s in %s", strings.Join(by.Command, " "),
			strings.Join(by.Folders, " and "), by.Image)}
	}
	return test
}

// differsAt returns the number of the first line in which two files differ, from 1.
func differsAt(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return 1 + bytes.Count(a[:n], []byte("\n"))
}
