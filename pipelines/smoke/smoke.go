// Package smoke starts an IOC in a container and asks it, over Channel Access
// and pvAccess, whether it works.
package smoke

import (
	"context"
	_ "embed"
	"fmt"
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
)

//go:embed boot.sh
var bootScript string

//go:embed boot.cmd
var bootCommands string

// Subject is an IOC to be tested.
type Subject struct {
	Name     string       // of the image or the instance
	Folder   string       // of its config, from the repository's root, to name files in faults
	Digest   asset.Digest // that Runtime was pulled by from the registry; empty when it was built here
	Runtime  *dagger.Container
	Clients  *dagger.Container // has caget, caput and pvget: the developer image
	Config   map[string][]byte // by file name, as the instance's ConfigMap
	Checks   []recipe.Check
	File     string // where Checks stand
	Env      map[string]string
	User     string        // "uid:gid" the IOC runs as
	Grace    int64         // seconds to stop in
	Protocol string        // that the probe PV is asked over; empty means "ca"
	Startup  startup.Rules // how its start is judged
	Autosave bool          // it has a volume at /epics/autosave
}

// Tester runs smoke tests on one engine.
type Tester struct {
	Client *dagger.Client
}

// Run tests an IOC twice over: it boots it alone to read its start-up log, list
// its PVs and stop it; then it starts it as a service and asks it from another
// container. The error is of the engine; what is wrong with the IOC is in the
// result.
func (t Tester) Run(ctx context.Context, s Subject) (*record.Test, error) {
	result := &record.Test{Name: record.SmokeTest, Of: s.Name, Digest: s.Digest}
	if err := pulled(ctx, s.Runtime, s.Digest); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	log, err := t.boot(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("booting %s: %w", s.Name, err)
	}
	result.PVs = log.pvs
	result.Faults, result.Notes = log.faults(s), log.notes(s)
	if len(result.Faults) > 0 {
		result.Log = tail(log.lines, 40)
		return result, nil
	}
	result.Evidence = append(result.Evidence, fmt.Sprintf("started, %d PVs, stopped with exit status 0", len(log.pvs)))
	if err := t.ask(ctx, s, result); err != nil {
		return nil, fmt.Errorf("asking %s: %w", s.Name, err)
	}
	result.Passed = len(result.Faults) == 0
	if !result.Passed {
		result.Log = tail(log.lines, 40)
	}
	return result, nil
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

// ioc is the runtime image with its config, as a pod has them: unprivileged,
// and nowhere to write but /tmp and the autosave volume.
func (t Tester) ioc(s Subject) *dagger.Container {
	c := s.Runtime.WithMountedDirectory(layout.Config, t.config(s)).
		WithMountedTemp("/tmp").
		WithEnvVariable("IOC_NAME", s.Name).
		WithEnvVariable("HOME", "/tmp")
	if s.Autosave {
		c = c.WithMountedTemp("/epics/autosave")
	}
	env := s.env()
	for _, name := range sortedKeys(env) {
		c = c.WithEnvVariable(name, env[name])
	}
	return c.WithUser(s.User)
}

// boot starts the IOC once, alone.
func (t Tester) boot(ctx context.Context, s Subject) (*bootLog, error) {
	entry, err := s.Runtime.Entrypoint(ctx)
	if err != nil {
		return nil, err
	}
	out, err := t.bootable(s).WithExec(append(append([]string{"/smoke/boot.sh"}, entry...),
		"/smoke/boot.cmd")).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	return readBoot(out), nil
}

// bootable is the IOC with what starts and stops it.
func (t Tester) bootable(s Subject) *dagger.Container {
	return t.ioc(s).
		WithNewFile("/smoke/boot.sh", bootScript, dagger.ContainerWithNewFileOpts{Permissions: 0o755}).
		WithNewFile("/smoke/boot.cmd", bootCommands).
		WithEnvVariable("GRACE", fmt.Sprint(s.Grace)).
		WithEnvVariable("WITHIN", fmt.Sprintf("%.0f", s.Startup.Duration().Seconds()))
}

// service is the IOC as other containers reach it. The engine waits until it can
// open the CA server's port. Not PVA's: a pvAccess server waits some seconds for
// each connection to introduce itself, with all others behind it.
func (t Tester) service(s Subject) *dagger.Service {
	return t.ioc(s).
		WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano)). // a test is never answered from a cache
		WithExposedPort(s.caPort(), dagger.ContainerWithExposedPortOpts{
			ExperimentalSkipHealthcheck: !slices.Contains(s.protocols(), "ca"),
		}).
		AsService(dagger.ContainerAsServiceOpts{UseEntrypoint: true})
}
