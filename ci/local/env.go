package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Part says what is used for one need, and why.
type Part struct {
	Part    string `json:"part"`    // "engine", "registry", "base image", "sources", "cluster"
	Choice  string `json:"choice"`  // "stand-in", or what the machine offers: "running engine"
	Why     string `json:"why"`     // "no Docker daemon answers at …"
	Address string `json:"address"` // where it is: a URL, host:port, path or reference
}

// Env is what `tagline up` found and made: all that a client needs.
type Env struct {
	Parts []Part `json:"parts"`
	// RunnerHost is the Dagger engine's address: "unix:///…/engine.sock".
	// Empty where Dagger's own default (a container runtime) works.
	RunnerHost string `json:"runnerHost,omitempty"`
	// CLIBin is the path of the dagger command; empty lets the SDK fetch it.
	CLIBin string `json:"cliBin,omitempty"`
	// Registry is host:port, the same from this machine, from the engine, from
	// its containers and from the cluster. Plain HTTP.
	Registry string `json:"registry,omitempty"`
	// Kubeconfig is the path of the cluster's configuration.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Git is the URL below which the repositories of the state's mirrors are served:
	// "http://10.87.0.1:5080/". Nobody pushes there.
	Git string `json:"git,omitempty"`
	// Mirrors maps URL prefix to mirror prefix, both with a slash at the end.
	Mirrors map[string]string `json:"mirrors,omitempty"`
}

// Environ returns NAME=value pairs that make clients use it: dagger, Helm,
// kubectl, and Tagline itself. Sorted mirrors, so equal Envs have equal pairs.
func (e Env) Environ() []string {
	pairs := []string{"DO_NOT_TRACK=1", "DAGGER_NO_NAG=1"}
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, name+"="+value)
		}
	}
	add("_EXPERIMENTAL_DAGGER_RUNNER_HOST", e.RunnerHost)
	add("_EXPERIMENTAL_DAGGER_CLI_BIN", e.CLIBin)
	add("KUBECONFIG", e.Kubeconfig)
	add("TAGLINE_REGISTRY", e.Registry)
	var mirrors []string
	for from, to := range e.Mirrors {
		mirrors = append(mirrors, from+"="+to)
	}
	sort.Strings(mirrors)
	add("TAGLINE_MIRRORS", strings.Join(mirrors, ","))
	return pairs
}

// Owns reports whether the cluster of a kubeconfig, named by its path, is one that Up
// started. One that it found in KUBECONFIG is somebody else's.
func (e Env) Owns(kubeconfig string) bool {
	started := slices.ContainsFunc(e.Parts, func(p Part) bool { return p.Part == "cluster" && p.Choice == standIn })
	return started && filepath.Clean(kubeconfig) == filepath.Clean(e.Kubeconfig)
}

func envFile(s state.Dir) string { return s.Path("env.json") }

func writeEnv(s state.Dir, e Env) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return state.WriteFile(envFile(s), append(b, '\n'), 0o644)
}

// ReadEnv returns what the last Up made. It is an error when nothing is up.
func ReadEnv(s state.Dir) (Env, error) {
	var e Env
	b, err := os.ReadFile(envFile(s))
	if errors.Is(err, os.ErrNotExist) {
		return e, &diag.Error{Kind: diag.Broken, Doing: "reading " + envFile(s),
			Err: errors.New("nothing is up"), Fix: "run `tagline up`"}
	}
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, &diag.Error{Kind: diag.Broken, Doing: "reading " + envFile(s), Err: err,
			Fix: "run `tagline up`, which writes it anew"}
	}
	return e, nil
}
