package release

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// test boots the IOCs and services that no release has tested so before, and sees that
// no two IOCs of all serve one PV.
func (b *beamlineJob) test(ctx context.Context) error {
	tests := make([]record.Test, len(b.bl.Instances))
	known := b.evidence(ctx)
	var rest []int // that must be booted
	for i, inst := range b.bl.Instances {
		if !inst.Boots() {
			continue
		}
		image, inputs := b.tested(i)
		var ok bool
		if tests[i], ok = known.test(inst.Name, image, inputs); !ok {
			tests[i], rest = record.Test{Inputs: inputs}, append(rest, i)
		}
	}
	b.sayTaken(ctx, tests)
	err := step.Each(ctx, batchesAtOnce, b.batches(rest), func(ctx context.Context, batch []int) error {
		return step.Run(ctx, "booting "+smoke.Names(b.names(batch)), func(ctx context.Context) error {
			found, err := b.start(ctx, batch)
			for n, test := range found {
				i := batch[n]
				test.Inputs = tests[i].Inputs
				tests[i] = *test
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	tests = slices.DeleteFunc(tests, func(t record.Test) bool { return t.Name == "" }) // which say why not
	b.rec.Checks = append(b.rec.Checks, append(tests, unique(b.bl, tests))...)
	return nil
}

// batchesAtOnce is how many containers with IOCs, or services, are booted side by side.
const batchesAtOnce = 4

// batches returns the instances that are started together: a service is alone.
func (b *beamlineJob) batches(instances []int) [][]int {
	var iocs []int
	var all [][]int
	for _, i := range instances {
		if b.bl.Instances[i].Service != "" {
			all = append(all, []int{i})
		} else {
			iocs = append(iocs, i)
		}
	}
	for _, batch := range smoke.Batches(b.subjects(iocs)) {
		for n, place := range batch {
			batch[n] = iocs[place]
		}
		all = append(all, batch)
	}
	return all
}

// names returns the names of instances.
func (b *beamlineJob) names(instances []int) []string {
	all := make([]string, len(instances))
	for n, i := range instances {
		all[n] = b.bl.Instances[i].Name
	}
	return all
}

// subjects returns instances as they are tested.
func (b *beamlineJob) subjects(instances []int) []smoke.Subject {
	all := make([]smoke.Subject, len(instances))
	for n, i := range instances {
		all[n] = subject(b.bl.Instances[i], b.booted(i))
	}
	return all
}

// tested returns the image in which an instance is tested, and the digest of all that
// is.
func (b *beamlineJob) tested(i int) (image, inputs asset.Digest) {
	inst := b.bl.Instances[i]
	if inst.Service != "" {
		return inst.Foreign.Image.Digest(), service(inst).Inputs()
	}
	run := b.booted(i)
	return run.digest, subject(inst, run).Inputs()
}

// start boots a batch of IOCs, or runs the command that tests a service.
func (b *beamlineJob) start(ctx context.Context, batch []int) ([]*record.Test, error) {
	inst := b.bl.Instances[batch[0]]
	if inst.Service == "" {
		return b.boot(ctx, b.subjects(batch))
	}
	test, err := b.serve(ctx, service(inst))
	if err != nil {
		return nil, err
	}
	return []*record.Test{test}, nil
}

// service is a service as it is tested, in the image that its pod will run.
func service(inst *beamline.Instance) smoke.Service {
	is := inst.Foreign
	return smoke.Service{
		Name: inst.Name, File: inst.File, Line: is.Line, Image: is.Image, Command: is.Boot, Within: is.Within,
		Config: inst.Config, Env: inst.Values.Env, User: inst.Values.User(),
	}
}

// serve tests a service.
func (j *job) serve(ctx context.Context, s smoke.Service) (*record.Test, error) {
	test, err := smoke.Tester{Client: j.Client}.Serve(ctx, s)
	if err != nil {
		return nil, j.bootFailed(s.Name, err)
	}
	return test, nil
}

// booted returns what an instance is booted with: its own image once that is in
// the registry, or the generic IOC, onto which its config folder is mounted.
func (b *beamlineJob) booted(i int) ioc {
	run := b.iocs[b.bl.Instances[i].Image]
	if own := b.own[i]; own != nil && b.pushed {
		run.own, run.digest = b.Client.Container().From(string(own.Artifact.Pinned())), own.Artifact.Digest
	}
	return run
}

// subject is an instance as it is booted: at its pinned image, as its pod will
// start it.
func subject(inst *beamline.Instance, run ioc) smoke.Subject {
	return smoke.Subject{
		Name: inst.Name, Folder: path.Join(inst.Folder, "config"), File: inst.File,
		Digest:  run.digest,
		Runtime: run.img.Runtime, Clients: run.img.Developer, Own: run.own, Config: inst.Config,
		Checks: []recipe.Check{{PV: inst.Values.ProbePV, Line: 1}},
		Env:    inst.Values.Env, Grace: inst.Values.Grace(), User: inst.Values.User(),
		ProbePV: inst.Values.ProbePV, Protocol: inst.Values.ProbeProtocol(), Advances: inst.Values.ProbeAdvances,
		Startup: inst.Values.StartupRules(), Autosave: inst.Values.Autosave != "",
	}
}

// boot boots IOC instances in one container.
func (j *job) boot(ctx context.Context, batch []smoke.Subject) ([]*record.Test, error) {
	tests, err := j.tester().RunAll(ctx, batch)
	if err != nil {
		return nil, j.bootFailed(smoke.Named(batch), err)
	}
	for _, test := range tests {
		test.Name = record.BootTest
	}
	return tests, nil
}

// bootFailed is the error of an engine that could not boot an instance.
func (j *job) bootFailed(name string, err error) error {
	return &diag.Error{
		Kind: diag.Broken, Doing: "booting", Asset: name, Version: j.plan.Tag.Version.String(), Err: err,
		Fix: "see that the engine runs and reaches the registry, then run it again",
	}
}

// unique checks that no two IOCs of a beamline serve one PV.
func unique(bl *beamline.Beamline, tests []record.Test) record.Test {
	result := record.Test{Name: record.UniquePVsTest, Of: string(bl.Name)}
	by, iocs := map[string]string{}, 0
	for _, t := range tests {
		if t.Name == record.BootTest {
			iocs++
		}
		for _, pv := range t.PVs {
			if other, ok := by[pv.Name]; ok {
				result.Faults = append(result.Faults, fmt.Sprintf(
					"%s: %s and %s both serve %s, which %s has of %s; give one of them other macros",
					named(bl, t.Of, pv.Name), other, t.Of, pv.Name, other, named(bl, other, pv.Name),
				))
			}
			by[pv.Name] = t.Of
		}
	}
	result.Passed = len(result.Faults) == 0
	result.Evidence = []string{fmt.Sprintf("%d PVs of %d IOCs", len(by), iocs)}
	return result
}

// named returns where an instance's files name a PV: "beamlines/…/st.cmd:3".
func named(bl *beamline.Beamline, instance, pv string) string {
	inst, err := bl.Instance(instance)
	if err != nil {
		return instance // it was booted, so it is there
	}
	file, line := startup.Names(inst.Config, pv)
	place := path.Join(inst.Folder, "config", file)
	if line > 0 {
		place = fmt.Sprintf("%s:%d", place, line)
	}
	return place
}
