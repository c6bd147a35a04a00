// Package smoke starts an IOC in a container and asks it, over Channel Access
// and pvAccess, whether it works.
package smoke

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/step"
)

//go:embed boot.sh
var bootScript string

//go:embed boots.sh
var bootsScript string

//go:embed environment.pl
var environmentScript string

//go:embed loopback.pl
var loopbackScript string

// Subject is an IOC to be tested.
type Subject struct {
	Name     string       // of the image or the instance
	Folder   string       // of its config, from the repository's root, to name files in faults
	Digest   asset.Digest // that Own, or else Runtime, was pulled by; empty when it was built here
	Runtime  *dagger.Container
	Clients  *dagger.Container // the developer image, which has every file
	Own      *dagger.Container // Runtime with the config folder as a layer; nil where that is mounted
	Config   map[string][]byte // by path below the config folder
	Checks   []recipe.Check
	File     string // where Checks stand
	Env      map[string]string
	User     string        // "uid:gid" the IOC runs as
	Grace    int64         // seconds to stop in
	ProbePV  string        // that ioc-run watches; empty for a generic IOC
	Protocol string        // of the probe PV; empty means "ca"
	Advances bool          // the probe PV has to go on changing
	Startup  startup.Rules // how its start is judged
	Autosave bool          // it has a volume at /epics/autosave
	Restart  bool          // it is booted twice on that volume: what was put must come back
	Beside   []Simulator   // that run beside it
}

// boots is how often an IOC is started.
func (s Subject) boots() int {
	if s.Restart || s.Autosave {
		return 2
	}
	return 1
}

// Tester runs smoke tests on one engine.
type Tester struct {
	Client *dagger.Client
	// Known lets the engine answer for a test that it has run before, of the same image,
	// files and checks. Only what passed is taken so: what failed is run again, as it may
	// have been the machine.
	Known bool
}

// Run boots an IOC as its pod does, with a loopback as its only network, asks
// it, and stops it. The error is of the engine; what is wrong with the IOC is in
// the result.
func (t Tester) Run(ctx context.Context, s Subject) (*record.Test, error) {
	tests, err := t.RunAll(ctx, []Subject{s})
	if err != nil {
		return nil, err
	}
	return tests[0], nil
}

// RunAll is Run for a batch, as Batches returns it. The results are in its order.
func (t Tester) RunAll(ctx context.Context, batch []Subject) ([]*record.Test, error) {
	began := time.Now()
	results, ran, err := t.runAll(ctx, slices.Clone(batch))
	if err != nil || !t.Known || !ran.Before(began.Truncate(time.Second)) {
		return results, err
	}
	if slices.ContainsFunc(results, func(r *record.Test) bool { return !r.Passed }) {
		return Tester{Client: t.Client}.RunAll(ctx, batch)
	}
	step.Say(ctx, "testing "+Named(batch), "this engine has booted the same before, on "+ran.Format(time.DateTime))
	return results, nil
}

// runAll boots a batch, and returns when that was.
func (t Tester) runAll(ctx context.Context, batch []Subject) (_ []*record.Test, ran time.Time, err error) {
	results := make([]*record.Test, len(batch))
	for i := range batch {
		s := &batch[i]
		results[i] = &record.Test{Name: record.SmokeTest, Of: s.Name, Digest: s.Digest}
		if err := pulled(ctx, s.image(), s.Digest); err != nil {
			return nil, ran, fmt.Errorf("starting %s: %w", s.Name, err)
		}
	}
	first := batch[0]
	entry, err := first.Runtime.Entrypoint(ctx)
	if err != nil {
		return nil, ran, fmt.Errorf("reading the entrypoint of %s: %w", first.Name, err)
	}
	if !slices.Contains(entry, layout.Run) {
		for i, s := range batch {
			results[i].Faults = []string{fmt.Sprintf(
				"%s: the image of %s has no ioc-run, which watches an IOC in its pod; release the generic IOC again "+
					"and name that version", s.File, s.Name,
			)}
		}
		return results, ran, nil
	}
	below, err := rulesOf(ctx, first)
	if err != nil {
		return nil, ran, err
	}
	for i := range batch {
		batch[i].Startup = batch[i].Startup.Over(below)
	}
	c, err := t.isolated(batch, `exec /smoke/boots.sh "$@"`, append(entry, startup.Script))
	if err != nil {
		return nil, ran, err
	}
	out, err := c.Stdout(ctx)
	if err != nil {
		return nil, ran, fmt.Errorf("booting %s: %w", Named(batch), engine.Explain(err))
	}
	printed, ran, err := readOutputs(out)
	if err != nil {
		return nil, ran, fmt.Errorf("booting %s: %w", Named(batch), err)
	}
	for i, s := range batch {
		boots := readBoots(printed[s.Name])
		if len(boots) < s.boots() { // what is not told of has not passed
			return nil, ran, fmt.Errorf("booting %s: boot.sh told of %d of %d boots", s.Name, len(boots), s.boots())
		}
		s.judge(results[i], boots)
	}
	return results, ran, nil
}

// judge writes into the result what the boots of an IOC have shown: each fault once,
// and the log of the first boot that has one.
func (s Subject) judge(result *record.Test, boots []*bootLog) {
	result.PVs = boots[0].pvs
	faulty := -1 // the first such boot
	for i, b := range boots {
		for _, fault := range b.faults(s) {
			if !slices.Contains(result.Faults, fault) {
				result.Faults = append(result.Faults, fault)
			}
		}
		result.Notes = append(result.Notes, b.notes(s)...)
		if i == 0 && len(result.Faults) == 0 {
			seen := fmt.Sprintf("started, %d PVs, stopped with exit status 0", len(b.pvs))
			result.Evidence = append(result.Evidence, seen)
		}
		result.Faults = append(result.Faults, b.wrongAnswers(s, i+1)...)
		result.Evidence = append(result.Evidence, b.evidence(s, i+1)...)
		if faulty < 0 && len(result.Faults) > 0 {
			faulty = i
		}
	}
	slices.Sort(result.Notes)
	result.Notes = slices.Compact(result.Notes)
	if result.Passed = len(result.Faults) == 0; !result.Passed {
		result.Evidence = nil
		result.Log = boots[faulty].tail(40)
	}
}

// image returns what the IOC's pod runs.
func (s Subject) image() *dagger.Container {
	if s.Own != nil {
		return s.Own
	}
	return s.Runtime
}

// rulesOf returns the rules for a start that the image of an IOC has.
func rulesOf(ctx context.Context, s Subject) (startup.Rules, error) {
	label, err := s.Runtime.Label(ctx, startup.Label)
	if err != nil {
		return startup.Rules{}, fmt.Errorf("reading the labels of the image of %s: %w", s.Name, err)
	}
	rules, err := startup.ParseRules(label)
	if err != nil {
		return rules, fmt.Errorf("reading the label %s of the image of %s: %w", startup.Label, s.Name, err)
	}
	return rules, nil
}

// pulled checks with the engine that a container is the one in the registry that
// the record will name.
func pulled(ctx context.Context, c *dagger.Container, digest asset.Digest) error {
	if digest == "" {
		return nil
	}
	ref, err := c.ImageRef(ctx)
	if err == nil && !strings.HasSuffix(ref, "@"+string(digest)) {
		err = fmt.Errorf("the engine runs %s", ref)
	}
	if err != nil {
		return fmt.Errorf("checking that %s is what is tested: %w", digest, err)
	}
	return nil
}

// Container returns an IOC as its pod runs it: unprivileged, its config and
// environment in place, and nowhere to write but /tmp and the autosave volume.
func (t Tester) Container(s Subject) *dagger.Container {
	c := s.image()
	if s.Own == nil {
		c = c.WithMountedDirectory(layout.Config, engine.Files(t.Client, s.Config))
	}
	c = c.WithMountedTemp("/tmp")
	if s.keeps() {
		c = c.WithMountedTemp(layout.Autosave)
	}
	environment := s.environment()
	for _, name := range sortedKeys(environment) {
		c = c.WithEnvVariable(name, environment[name])
	}
	return c.WithUser(s.User)
}

// keeps reports whether the IOC has an autosave volume.
func (s Subject) keeps() bool { return s.Autosave || s.Restart }

// environment returns what an IOC's environment has beside that of its image.
func (s Subject) environment() map[string]string {
	all := map[string]string{
		"IOC_NAME":       s.Name,
		"HOME":           "/tmp",
		"IOC_RUN_GRACE":  fmt.Sprint(s.Grace),
		"IOC_RUN_WITHIN": fmt.Sprintf("%.0fs", s.Startup.Duration().Seconds()),
	}
	if s.ProbePV != "" {
		all["IOC_RUN_PV"], all["IOC_RUN_PROTOCOL"] = s.ProbePV, cmp.Or(s.Protocol, "ca")
		if s.Advances {
			all["IOC_RUN_ADVANCES"] = "yes"
		}
	}
	maps.Copy(all, s.Env)
	return all
}

// isolated is the boot of a batch by a script: the image of its IOCs, and boots.sh,
// which takes the network away before boot.sh gives up all privileges.
func (t Tester) isolated(batch []Subject, script string, command []string) (*dagger.Container, error) {
	files, err := archive(batch)
	if err != nil {
		return nil, fmt.Errorf("packing the files of %s: %w", Named(batch), err)
	}
	first := batch[0]
	c := first.Runtime.
		WithUser("root").
		WithMountedTemp("/tmp").
		WithMountedTemp("/smoke/out").
		WithMountedTemp("/smoke/trace").
		WithNewFile("/smoke/boots.sh", bootsScript, dagger.ContainerWithNewFileOpts{Permissions: 0o755}).
		WithNewFile("/smoke/boot.sh", bootScript).
		WithNewFile("/smoke/loopback.pl", loopbackScript).
		WithNewFile("/smoke/environment.pl", environmentScript).
		WithNewFile("/smoke/iocs.base64", files)
	if first.keeps() {
		c = c.WithMountedTemp(layout.Autosave)
	}
	for _, s := range batch {
		if s.Own != nil {
			c = c.WithMountedDirectory("/smoke/own/"+s.Name, s.Own.Directory(layout.Config))
		}
	}
	for i, one := range first.Beside {
		c = one.mount(c, i)
	}
	if !t.Known { // what is of another moment is in no cache
		c = c.WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano))
	}
	return c.WithExec(append([]string{"sh", "-c", script, "sh"}, command...),
		dagger.ContainerWithExecOpts{InsecureRootCapabilities: true}), nil
}
