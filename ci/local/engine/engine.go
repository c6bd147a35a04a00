// Package engine is the Dagger engine that stands in on one machine: built from
// source and started in an enclosure, or run by Docker.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/ci/local/debian"
	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/leaf"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/reach"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// version is the engine's, its SDK's and its modules' at once.
const version = "v0.21.8"

// module is what the engine is built from, and its programs.
var module = leaf.Module{
	Name:    "daggerd",
	Sources: leaf.Daggerd,
	Programs: map[string]string{
		"dagger":        "github.com/dagger/dagger/cmd/dagger",
		"dagger-engine": "github.com/dagger/dagger/cmd/engine",
		"dagger-init":   "github.com/dagger/dagger/cmd/init",
		"codegen":       "github.com/dagger/dagger/cmd/codegen",
		"dnsname":       "github.com/dagger/dagger/cmd/dnsname",
	},
	LDFlags: "-X github.com/dagger/dagger/engine.Version=" + version +
		" -X github.com/dagger/dagger/engine.Tag=" + version,
}

// packages are what the engine runs: containers, their names and their network.
var packages = []string{"runc", "dnsmasq-base", "iptables", "containernetworking-plugins", "ca-certificates"}

// The engine of Start: the name of its process and of its folder below the state, and
// what holds the control groups of its containers.
const (
	firstName = "engine"
	cgroup    = "/tagline-engine"
)

// The engine writes down what its cache holds when it ends, and only then. One
// that was killed is started again without a cache, and first removes what is
// left of it: a minute for 25 GB.
const (
	clearing = 10 * time.Minute
	closing  = 2 * time.Minute
)

// networksReady is how many network namespaces the engine keeps ready for
// containers. The engine's own choice, 128, takes long on a small machine.
const networksReady = 16

// Debian's network plugins that the engine's network is made of; the fifth,
// dnsname, is the engine's own.
var cniPlugins = []string{"bridge", "loopback", "firewall", "host-local"}

// Options is what Start and StartInDocker need to know.
type Options struct {
	State state.Dir
	Self  []string // see process.Daemon
	Ports shelf.Ports
	// HubOut is set where Docker Hub is out of reach: the registry stands in
	// for it.
	HubOut bool
}

// releases is where the SDK fetches the dagger command that fits an engine.
const releases = "https://dl.dagger.io/dagger/releases/"

// engine is a built engine that has not been started.
type engine struct {
	Options
	Bin      string // folder of its programs
	SDK      sdk    // what Go modules are run with
	Name     string // of its process, and of its folder below the state
	Cgroup   string // holds the control groups of its containers
	Settings map[string]any
	Env      []string       // beside what each engine has
	Binds    []process.Bind // likewise
}

// path returns the path of what the engine keeps.
func (e engine) path(names ...string) string {
	return e.State.Path(append([]string{e.Name}, names...)...)
}

// address is where the engine of that name answers.
func address(s state.Dir, name string) string { return "unix://" + s.Path(name, "engine.sock") }

// Address is where the engine of Start answers: "unix:///…/engine.sock".
func Address(s state.Dir) string { return address(s, firstName) }

// Start builds the engine, starts it in an enclosure and waits until it answers.
// It returns the path of the dagger command.
func Start(ctx context.Context, o Options) (command string, err error) {
	err = process.NeedRoot("starting the engine", "name a running engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST")
	if err != nil {
		return "", err
	}
	if err := debian.EnsurePackages(ctx, packages...); err != nil {
		return "", err
	}
	e, err := build(ctx, o)
	if err != nil {
		return "", err
	}
	e.Name, e.Cgroup, e.Settings = firstName, cgroup, o.config()
	if err := host.Remember(ctx, o.State); err != nil {
		return "", err
	}
	if err := host.EnsureBridge(); err != nil {
		return "", err
	}
	return filepath.Join(e.Bin, "dagger"), e.start(ctx)
}

// build builds the engine; what the image for Go modules needs of Debian is
// installed while its programs are compiled.
func build(ctx context.Context, o Options) (engine, error) {
	e := engine{Options: o}
	var rootfs string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { e.Bin, err = leaf.Build(gctx, o.State, module); return err })
	g.Go(func() (err error) {
		rootfs, err = debian.EnsureRootfs(gctx, o.State, "go-sdk", sdkPackages...)
		return err
	})
	if err := g.Wait(); err != nil {
		return engine{}, err
	}
	var err error
	e.SDK, err = ensureSDK(ctx, o.State, e.Bin, rootfs)
	return e, err
}

// start starts the engine and waits until it answers.
func (e engine) start(ctx context.Context) error {
	s := e.State
	if err := e.prepare(); err != nil {
		return err
	}
	if process.Died(s, e.Name) {
		step.Say(ctx, "engine", "the last one was killed: removing what it kept; all is built again")
	}
	return process.Start(ctx, s, process.Daemon{
		Name: e.Name, Limit: clearing, Grace: closing, Self: e.Self, Private: e.enclosure(),
		Args: []string{filepath.Join(e.Bin, "dagger-engine"), "--root", e.path("root"),
			"--config", e.path("buildkitd.toml"), "--addr", address(s, e.Name),
			"--network-name", host.NetworkName, "--network-cidr", host.NetworkCIDR},
		Env: append([]string{"PATH=" + e.path("bin") + ":" + process.SystemPath, "TMPDIR=" + e.path("tmp"),
			"DAGGER_GO_SDK_MANIFEST_DIGEST=" + e.SDK.Digest}, e.Env...),
		Ready: func(ctx context.Context) error { return reach.Socket(ctx, "unix", e.path("engine.sock")) },
	})
}

// Stop ends the engine of Start and all that runs in it, and removes a second one that a
// killed test left. The caches of the first stay in the state directory.
func Stop(ctx context.Context, s state.Dir) error {
	if !state.Exists(s.Path(firstName)) {
		return nil
	}
	return errors.Join(Second{State: s}.Remove(ctx), process.Stop(ctx, s, firstName), host.RemoveCgroups(ctx, cgroup),
		os.RemoveAll(s.Path(firstName, "cni-state")), os.RemoveAll(s.Path(firstName, "tmp")))
}

// Command returns the path of a dagger command that fits a running engine; ""
// where the SDK can fetch one.
func Command(ctx context.Context, s state.Dir) (string, error) {
	if reach.Site(ctx, releases, 200, 403, 404) == nil {
		return "", nil
	}
	bin, err := leaf.Build(ctx, s, module)
	return filepath.Join(bin, "dagger"), err
}

// prepare writes what the engine reads.
func (e engine) prepare() error {
	for _, dir := range []string{"root", "bin", "cni", "cni-state", "tmp"} {
		if err := os.MkdirAll(e.path(dir), 0o755); err != nil {
			return err
		}
	}
	for _, p := range cniPlugins {
		if err := state.Symlink(filepath.Join("/usr/lib/cni", p), e.path("cni", p)); err != nil {
			return err
		}
	}
	if err := state.Symlink(filepath.Join(e.Bin, "dnsname"), e.path("cni", "dnsname")); err != nil {
		return err
	}
	for _, tool := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save"} {
		legacy := strings.Replace(tool, "tables", "tables-legacy", 1)
		if err := state.Symlink(filepath.Join("/usr/sbin", legacy), e.path("bin", tool)); err != nil {
			return err
		}
	}
	// As the engine calls it, dnsmasq takes port 53 of every address, which
	// fails where the machine has a name service of its own.
	dnsmasq := "#!/bin/sh\nexec /usr/sbin/dnsmasq --bind-dynamic \"$@\"\n"
	if err := state.WriteFile(e.path("bin", "dnsmasq"), []byte(dnsmasq), 0o755); err != nil {
		return err
	}
	worker := fmt.Sprintf("[worker.oci]\n  defaultCgroupParent = %q\n  cniPoolSize = %d\n", e.Cgroup, networksReady)
	if err := state.WriteFile(e.path("buildkitd.toml"), []byte(worker), 0o644); err != nil {
		return err
	}
	return writeConfig(e.path("engine.json"), e.Settings)
}

// writeConfig writes an engine's configuration file.
func writeConfig(file string, settings map[string]any) error {
	b, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	return state.WriteFile(file, b, 0o644)
}

// config is the engine's configuration file.
func (o Options) config() map[string]any {
	registry := o.Ports.RegistryAddress()
	registries := map[string]any{
		registry: map[string]any{"http": true},
		fmt.Sprintf("127.0.0.1:%d", o.Ports.Registry): map[string]any{"http": true},
		fmt.Sprintf("localhost:%d", o.Ports.Registry): map[string]any{"http": true},
	}
	if o.HubOut {
		registries["docker.io"] = map[string]any{"mirrors": []string{registry}}
	}
	// By default the engine drops its cache after each session, compiled EPICS
	// and fetched sources included, while less than a fifth of the disk is free.
	gc := map[string]any{"reservedSpace": "10%", "maxUsedSpace": "75%", "minFreeSpace": "5%"}
	return map[string]any{"logLevel": "info", "registries": registries, "gc": gc}
}

// enclosure hides from the machine what the engine would change on it: it
// mounts its own resolver over /etc/resolv.conf, writes to /etc and /run, and
// links iptables in /usr/bin anew.
func (e engine) enclosure() *process.Enclosure {
	s := e.State
	enc := &process.Enclosure{
		Empty:  []string{"/run", "/opt"},
		Copied: []string{"/etc", "/usr/bin"}, Scratch: "/run/tagline",
		Binds: []process.Bind{
			{From: e.Bin, To: "/opt/tagline/bin"},
			{From: e.SDK.Content, To: "/opt/tagline/content"},
			{From: e.path("cni"), To: "/opt/cni/bin"},
			{From: e.path("engine.json"), To: "/etc/dagger/engine.json"},
			{From: e.path("cni-state"), To: host.CNIState},
			// where the engine looks for it
			{From: "/usr/sbin/xtables-legacy-multi", To: "/usr/bin/xtables-legacy-multi"},
			{From: string(s), To: string(s)}, // it may lie below one of them
		},
	}
	enc.Binds = append(enc.Binds, e.Binds...)
	// The resolver's file may lie below /run, and so does the lock by which
	// firewall rules are changed one at a time.
	for _, path := range []string{"/etc/resolv.conf", host.FirewallLock} {
		if real, err := filepath.EvalSymlinks(path); err == nil && strings.HasPrefix(real, "/run/") {
			enc.Binds = append(enc.Binds, process.Bind{From: real, To: real})
		}
	}
	return enc
}
