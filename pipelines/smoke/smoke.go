// Package smoke starts an IOC in a container and asks it, over Channel Access
// and pvAccess, whether it works.
package smoke

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

//go:embed boot.sh
var bootScript string

//go:embed loopback.pl
var loopbackScript string

// Subject is an IOC to be tested.
type Subject struct {
	Name     string       // of the image or the instance
	Folder   string       // of its config, from the repository's root, to name files in faults
	Digest   asset.Digest // that Runtime was pulled by from the registry; empty when it was built here
	Runtime  *dagger.Container
	Clients  *dagger.Container // the developer image, which has every file
	Config   map[string][]byte // by path below the config folder
	Inside   bool              // Runtime has the config folder: it is not mounted
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
}

// Run boots an IOC as its pod does, with a loopback as its only network, asks
// it, and stops it. The error is of the engine; what is wrong with the IOC is in
// the result.
func (t Tester) Run(ctx context.Context, s Subject) (*record.Test, error) {
	result := &record.Test{Name: record.SmokeTest, Of: s.Name, Digest: s.Digest}
	if err := pulled(ctx, s.Runtime, s.Digest); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	entry, err := s.Runtime.Entrypoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the entrypoint of %s: %w", s.Name, err)
	}
	if !slices.Contains(entry, layout.Run) {
		result.Faults = []string{fmt.Sprintf("%s: the image of %s has no ioc-run, which watches an IOC in its pod; "+
			"release the generic IOC again and name that version", s.File, s.Name)}
		return result, nil
	}
	if s.Startup, err = judgedBy(ctx, s); err != nil {
		return nil, err
	}
	out, err := t.isolated(s, `exec /smoke/boot.sh "$@"`, append(entry, startup.Script)).Stdout(ctx)
	if err != nil {
		return nil, fmt.Errorf("booting %s: %w", s.Name, engine.Explain(err))
	}
	boots := readBoots(out)
	if len(boots) == 0 {
		return nil, fmt.Errorf("booting %s: boot.sh printed nothing", s.Name)
	}
	result.PVs = boots[0].pvs
	for i, b := range boots {
		result.Faults = append(result.Faults, b.faults(s)...)
		result.Notes = append(result.Notes, b.notes(s)...)
		if i == 0 && len(result.Faults) == 0 {
			seen := fmt.Sprintf("started, %d PVs, stopped with exit status 0", len(b.pvs))
			result.Evidence = append(result.Evidence, seen)
		}
		result.Faults = append(result.Faults, b.wrongAnswers(s, i+1)...)
		result.Evidence = append(result.Evidence, b.evidence(s, i+1)...)
	}
	slices.Sort(result.Notes)
	result.Notes = slices.Compact(result.Notes)
	if result.Passed = len(result.Faults) == 0; !result.Passed {
		result.Evidence = nil
		result.Log = boots[len(boots)-1].tail(40)
	}
	return result, nil
}

// judgedBy returns the rules of an IOC's start, over those of the image it runs.
func judgedBy(ctx context.Context, s Subject) (startup.Rules, error) {
	label, err := s.Runtime.Label(ctx, startup.Label)
	if err != nil {
		return s.Startup, fmt.Errorf("reading the labels of the image of %s: %w", s.Name, err)
	}
	below, err := startup.ParseRules(label)
	if err != nil {
		return s.Startup, fmt.Errorf("reading the label %s of the image of %s: %w", startup.Label, s.Name, err)
	}
	return s.Startup.Over(below), nil
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
func (t Tester) Container(s Subject) *dagger.Container { return t.ioc(s).WithUser(s.User) }

// isolated is the boot of an IOC by a script: its image with its config as a pod
// has them, and boot.sh, which takes the network away before it gives up all
// privileges.
func (t Tester) isolated(s Subject, script string, command []string) *dagger.Container {
	c := t.ioc(s).
		WithUser("root").
		WithNewFile("/smoke/boot.sh", bootScript, dagger.ContainerWithNewFileOpts{Permissions: 0o755}).
		WithNewFile("/smoke/loopback.pl", loopbackScript).
		WithEnvVariable("RUN_AS", s.User).
		WithEnvVariable("BOOTS", strconv.Itoa(s.boots()))
	for n := 1; n <= s.boots(); n++ {
		c = c.WithNewFile(fmt.Sprintf("/smoke/checks.%d", n), questions(s.checks(n)))
	}
	for i, one := range s.Beside {
		c = one.mount(c, i)
	}
	// A test is never answered from a cache.
	c = c.WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano))
	return c.WithExec(append([]string{"sh", "-c", script, "sh"}, command...),
		dagger.ContainerWithExecOpts{InsecureRootCapabilities: true})
}

// ioc is the runtime image with its config and environment, and nowhere to write
// but /tmp and the autosave volume.
func (t Tester) ioc(s Subject) *dagger.Container {
	c := s.Runtime
	if !s.Inside {
		c = c.WithMountedDirectory(layout.Config, engine.Files(t.Client, s.Config))
	}
	c = c.WithMountedTemp("/tmp").
		WithEnvVariable("IOC_NAME", s.Name).
		WithEnvVariable("HOME", "/tmp").
		WithEnvVariable("IOC_RUN_GRACE", fmt.Sprint(s.Grace)).
		WithEnvVariable("IOC_RUN_WITHIN", fmt.Sprintf("%.0fs", s.Startup.Duration().Seconds()))
	if s.Autosave || s.Restart {
		c = c.WithMountedTemp(layout.Autosave)
	}
	if s.ProbePV != "" {
		c = c.WithEnvVariable("IOC_RUN_PV", s.ProbePV).
			WithEnvVariable("IOC_RUN_PROTOCOL", cmp.Or(s.Protocol, "ca"))
		if s.Advances {
			c = c.WithEnvVariable("IOC_RUN_ADVANCES", "yes")
		}
	}
	for _, name := range sortedKeys(s.Env) {
		c = c.WithEnvVariable(name, s.Env[name])
	}
	return c
}
