package release

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// test boots the IOCs that no release has tested so before, and sees that no two
// of all serve one PV.
func (b *beamlineJob) test(ctx context.Context) error {
	tests := make([]record.Test, len(b.bl.Instances))
	known := b.evidence(ctx)
	var rest []int // that must be booted
	for i, inst := range b.bl.Instances {
		if inst.Service != "" {
			continue
		}
		run := b.booted(i)
		inputs := subject(inst, run).Inputs()
		var ok bool
		if tests[i], ok = known.test(inst.Name, run.digest, inputs); !ok {
			tests[i], rest = record.Test{Inputs: inputs}, append(rest, i)
		}
	}
	b.sayTaken(ctx, tests)
	err := step.Each(ctx, sideBySide, rest, func(ctx context.Context, i int) error {
		inst := b.bl.Instances[i]
		return step.Run(ctx, "booting "+inst.Name, func(ctx context.Context) error {
			test, err := b.boot(ctx, inst, b.booted(i))
			if err == nil {
				test.Inputs = tests[i].Inputs
				tests[i] = *test
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	tests = slices.DeleteFunc(tests, func(t record.Test) bool { return t.Name == "" }) // of services
	b.rec.Checks = append(b.rec.Checks, append(tests, unique(b.bl, tests))...)
	return nil
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
	runtime := run.img.Runtime
	if run.own != nil {
		runtime = run.own
	}
	return smoke.Subject{
		Name: inst.Name, Folder: path.Join(inst.Folder, "config"), File: inst.File,
		Digest:  run.digest,
		Runtime: runtime, Clients: run.img.Developer, Config: inst.Config, Inside: run.own != nil,
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
			Fix: "see that the engine runs and reaches the registry, then run it again",
		}
	}
	test.Name = record.BootTest
	return test, nil
}

// unique checks that no two IOCs of a beamline serve one PV.
func unique(bl *beamline.Beamline, tests []record.Test) record.Test {
	result := record.Test{Name: record.UniquePVsTest, Of: string(bl.Name)}
	by := map[string]string{}
	for _, t := range tests {
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
	result.Evidence = []string{fmt.Sprintf("%d PVs of %d IOCs", len(by), len(tests))}
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
