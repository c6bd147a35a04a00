package local

import (
	"context"
	"errors"
	"os"

	"github.com/tagline-ci/tagline/ci/local/cluster"
	"github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Down stops what Up started and leaves no trace on the machine: no
// process, mount, network or firewall rule. Images and caches stay in the
// state directory, which purge removes too. Nothing running is fine.
func Down(ctx context.Context, s state.Dir, purge bool) error {
	if !state.Exists(string(s)) {
		return nil
	}
	unlock, err := s.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.RemoveAll(envFile(s)); err != nil {
		return err
	}
	parts := []struct {
		name string
		stop func() error
	}{
		{"cluster", func() error { return cluster.Stop(ctx, s) }},
		{"engine", func() error { return errors.Join(engine.Stop(ctx, s), engine.StopInDocker(ctx, s, purge)) }},
		{"registry", func() error { return shelf.Stop(ctx, s) }},
		{"network", func() error { return host.GiveBack(ctx, s) }},
	}
	var errs []error
	for _, p := range parts {
		step.Say(ctx, p.name, "stopping")
		errs = append(errs, p.stop())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if purge {
		step.Say(ctx, "state", "removing "+string(s))
		return os.RemoveAll(string(s))
	}
	return nil
}
