package local

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// engineVersion is the engine's, its SDK's and its modules' at once.
const engineVersion = "v0.19.10"

// The leaf module that the engine is built from, and what is built.
var daggerLeaf = leaf{
	Name: "daggerd",
	Programs: map[string]string{
		"dagger":        "github.com/dagger/dagger/cmd/dagger",
		"dagger-engine": "github.com/dagger/dagger/cmd/engine",
		"dagger-init":   "github.com/dagger/dagger/cmd/init",
		"codegen":       "github.com/dagger/dagger/cmd/codegen",
		"dnsname":       "github.com/dagger/dagger/cmd/dnsname",
	},
	LDFlags: "-X github.com/dagger/dagger/engine.Version=" + engineVersion +
		" -X github.com/dagger/dagger/engine.Tag=" + engineVersion,
}

// What the engine runs: containers, their names and their network.
var enginePackages = []string{"runc", "dnsmasq-base", "iptables", "containernetworking-plugins", "ca-certificates"}

// engineCgroup holds the control groups of the engine's containers.
const engineCgroup = "/tagline-engine"

// Debian's network plugins that the engine's network is made of; the fifth,
// dnsname, is the engine's own.
var cniPlugins = []string{"bridge", "loopback", "firewall", "host-local"}

// engine is a built engine that has not been started.
type engine struct {
	Bin    string // folder of its programs
	SDK    sdk    // what Go modules are run with
	Ports  shelfPorts
	HubOut bool // Docker Hub is out of reach, so the registry stands in for it
}

func (s State) engineSocket() string { return s.Path("engine", "engine.sock") }

func engineAddress(s State) string { return "unix://" + s.engineSocket() }

// startEngine starts the engine in an enclosure and waits until it answers.
func startEngine(ctx context.Context, o Options, e engine) error {
	s := o.State
	if err := e.prepare(s); err != nil {
		return err
	}
	if err := rememberHost(ctx, s); err != nil {
		return err
	}
	if err := ensureBridge(); err != nil {
		return err
	}
	return s.start(ctx, daemon{
		Name: "engine", Self: o.Self, Private: e.enclosure(s),
		Args: []string{filepath.Join(e.Bin, "dagger-engine"), "--root", s.Path("engine", "root"),
			"--config", s.Path("engine", "buildkitd.toml"), "--addr", engineAddress(s), "--network-name", networkName, "--network-cidr", networkCIDR},
		Env: []string{"PATH=" + s.Path("engine", "bin") + ":" + systemPath, "TMPDIR=" + s.Path("engine", "tmp"),
			"DAGGER_GO_SDK_MANIFEST_DIGEST=" + e.SDK.Digest},
		Ready: func(ctx context.Context) error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "unix", s.engineSocket())
			if err != nil {
				return err
			}
			return conn.Close()
		},
	})
}

// prepare writes what the engine reads.
func (e engine) prepare(s State) error {
	for _, dir := range []string{"root", "bin", "cni", "cni-state", "tmp"} {
		if err := os.MkdirAll(s.Path("engine", dir), 0o755); err != nil {
			return err
		}
	}
	for _, p := range cniPlugins {
		if err := symlink(filepath.Join("/usr/lib/cni", p), s.Path("engine", "cni", p)); err != nil {
			return err
		}
	}
	if err := symlink(filepath.Join(e.Bin, "dnsname"), s.Path("engine", "cni", "dnsname")); err != nil {
		return err
	}
	for _, tool := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save"} {
		legacy := strings.Replace(tool, "tables", "tables-legacy", 1)
		if err := symlink(filepath.Join("/usr/sbin", legacy), s.Path("engine", "bin", tool)); err != nil {
			return err
		}
	}
	// As the engine calls it, dnsmasq takes port 53 of every address, which
	// fails where the machine has a name service of its own.
	dnsmasq := "#!/bin/sh\nexec /usr/sbin/dnsmasq --bind-dynamic \"$@\"\n"
	if err := writeFile(s.Path("engine", "bin", "dnsmasq"), []byte(dnsmasq), 0o755); err != nil {
		return err
	}
	worker := "[worker.oci]\n  defaultCgroupParent = \"" + engineCgroup + "\"\n"
	if err := writeFile(s.Path("engine", "buildkitd.toml"), []byte(worker), 0o644); err != nil {
		return err
	}
	return e.writeConfig(s)
}

// writeConfig writes the engine's configuration file.
func (e engine) writeConfig(s State) error {
	b, err := json.MarshalIndent(e.config(), "", "  ")
	if err != nil {
		return err
	}
	return writeFile(s.Path("engine", "engine.json"), b, 0o644)
}

// config is the engine's configuration file.
func (e engine) config() map[string]any {
	registry := e.Ports.registryAddress()
	registries := map[string]any{
		registry: map[string]any{"http": true},
		fmt.Sprintf("127.0.0.1:%d", e.Ports.Registry): map[string]any{"http": true},
		fmt.Sprintf("localhost:%d", e.Ports.Registry): map[string]any{"http": true},
	}
	if e.HubOut {
		registries["docker.io"] = map[string]any{"mirrors": []string{registry}}
	}
	return map[string]any{"logLevel": "info", "registries": registries}
}

// enclosure hides from the machine what the engine would change on it: it
// mounts its own resolver over /etc/resolv.conf, and writes to /etc and /run.
func (e engine) enclosure(s State) *Enclosure {
	enc := &Enclosure{
		Empty:  []string{"/run", "/opt"},
		Copied: []string{"/etc"}, Scratch: "/run/tagline",
		Binds: []Bind{
			{e.Bin, "/opt/tagline/bin"},
			{e.SDK.Content, "/opt/tagline/content"},
			{s.Path("engine", "cni"), "/opt/cni/bin"},
			{s.Path("engine", "engine.json"), "/etc/dagger/engine.json"},
			{s.Path("engine", "cni-state"), cniState},
			{s.Dir, s.Dir}, // it may lie below one of them
		},
	}
	// The resolver's file may lie below /run, and so does the lock by which
	// firewall rules are changed one at a time.
	for _, path := range []string{"/etc/resolv.conf", firewallLock} {
		if real, err := filepath.EvalSymlinks(path); err == nil && strings.HasPrefix(real, "/run/") {
			enc.Binds = append(enc.Binds, Bind{real, real})
		}
	}
	return enc
}

// symlink makes path point to target, whatever it was before.
func symlink(target, path string) error {
	if was, err := os.Readlink(path); err == nil && was == target {
		return nil
	}
	tmp := path + ".new"
	_ = os.Remove(tmp)
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
