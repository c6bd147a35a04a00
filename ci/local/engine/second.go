package engine

import (
	"context"
	"errors"
	"os"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// Second is an engine that a test starts beside the one of Start, with what a site sets
// for an engine of its own. It has a network and caches of its own, and is built already.
type Second struct {
	State state.Dir
	// Self is that of process.Daemon, behind the command that enters the network in which
	// the engine shall be: one that has no address of the first one's.
	Self        []string
	Settings    map[string]any // its configuration file, engine.json
	Authorities string         // folder of certificates that it and its containers trust
	Env         []string       // "HTTPS_PROXY=…"
}

const (
	secondName   = "second-engine"
	secondCgroup = "/tagline-engine-2"
)

// authorities are where a site's own are looked for: by the engine, for its containers, as
// package distconsts says, and by Debian, for the engine. In the engine's image both are one.
var authorities = []string{"/opt/tagline/ca-certificates", "/usr/local/share/ca-certificates"}

// Address is where the engine answers: "unix:///…/engine.sock".
func (s Second) Address() string { return address(s.State, secondName) }

// Start starts the engine with empty caches and waits until it answers.
func (s Second) Start(ctx context.Context) error {
	unlock, err := s.State.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	e, err := build(ctx, Options{State: s.State, Self: s.Self})
	if err != nil {
		return err
	}
	e.Name, e.Cgroup, e.Settings, e.Env = secondName, secondCgroup, s.Settings, s.Env
	for _, folder := range authorities {
		e.Binds = append(e.Binds, process.Bind{From: s.Authorities, To: folder})
	}
	return e.start(ctx)
}

// Remove ends the engine and leaves nothing of it.
func (s Second) Remove(ctx context.Context) error {
	return errors.Join(process.Stop(ctx, s.State, secondName), host.RemoveCgroups(ctx, secondCgroup),
		os.RemoveAll(s.State.Path(secondName)))
}
