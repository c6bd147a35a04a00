package local

import (
	"context"
	"errors"
	"os"
)

// Down stops what Up started and leaves nothing of it on the machine: no
// process, mount, network or firewall rule. Images and caches stay in the
// state directory, which purge removes too. Nothing running is fine.
func Down(ctx context.Context, s State, purge bool, progress Progress) error {
	if !exists(s.Dir) {
		return nil
	}
	unlock, err := s.lock(ctx, progress)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.RemoveAll(s.envFile()); err != nil {
		return err
	}
	steps := []struct {
		part string
		stop func() error
	}{
		{"cluster", func() error { return stopCluster(ctx, s) }},
		{"engine", func() error { return errors.Join(s.stopEngine(ctx), stopInDocker(ctx, s, purge)) }},
		{"registry", func() error { return s.stop(ctx, verbShelf) }},
		{"network", func() error { return errors.Join(giveBackHost(ctx, s), removeBridge()) }},
	}
	var errs []error
	for _, step := range steps {
		progress(step.part, "stopping")
		errs = append(errs, step.stop())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if purge {
		progress("state", "removing "+s.Dir)
		return os.RemoveAll(s.Dir)
	}
	return nil
}

func (s State) stopEngine(ctx context.Context) error {
	return errors.Join(s.stop(ctx, "engine"), removeCgroups(ctx, engineCgroup),
		os.RemoveAll(s.Path("engine", "cni-state")), os.RemoveAll(s.Path("engine", "tmp")))
}
