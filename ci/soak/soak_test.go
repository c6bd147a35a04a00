package main

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/fleet"
)

func TestEveryActionIsPicked(t *testing.T) {
	b := &soaked{Fleet: &fleet.Fleet{}}
	rng := rand.New(rand.NewPCG(1, 0))
	picked := map[string]int{}
	for range 1000 {
		picked[pick(rng, b.actions()).name]++
	}
	for _, a := range b.actions() {
		assert.Positive(t, picked[a.name], a.name)
	}
	assert.Greater(t, picked["crash of an IOC"], picked["status"])
}

func TestOnlyABeamlineThatWasPutBackIsNoFault(t *testing.T) {
	exit := func(status string) func(context.Context, *rand.Rand) error {
		return func(context.Context, *rand.Rand) error { return exec.Command("sh", "-c", "exit "+status).Run() }
	}
	var b soaked
	r := result{Done: map[string]int{}}
	require.NoError(t, b.do(t.Context(), action{"promotion", 1, exit("0")}, nil, &r))
	require.NoError(t, b.do(t.Context(), action{"promotion", 1, exit("4")}, nil, &r))
	assert.ErrorContains(t, b.do(t.Context(), action{"promotion", 1, exit("1")}, nil, &r), "promotion: exit status 1")
	assert.Equal(t, map[string]int{"promotion": 1, "promotion, put back": 1}, r.Done)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed := func(context.Context, *rand.Rand) error { return errors.New("signal: interrupt") }
	assert.ErrorIs(t, b.do(ctx, action{"promotion", 1, failed}, nil, &r), context.Canceled)
}

func TestKindOf(t *testing.T) {
	for text, want := range map[string]string{
		"/usr/bin/tagline serve enclosed {} /s/kube node /run/c.sock":        kindKubelet,
		"/s/kube node /run/c.sock /usr/bin/containerd --config c -- kubelet": kindKubelet,
		"/s/kube kubelet --config=/s/kubelet.json":                           kindKubelet,
		"/usr/bin/containerd --config /s/containerd.toml":                    kindContainerd,
		"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io":                 kindShims,
		"/epics/ioc/ioc st.cmd":                                              kindIOCs,
		"/epics/ioc-run/ioc-run /epics/ioc/ioc st.cmd":                       kindPods,
		"caget -w 2 SOAK-IOC-001:HEARTBEAT":                                  kindPods,
		"":                                                                   kindPods, // a zombie
	} {
		assert.Equal(t, want, kindOf("kube-node", strings.Fields(text)), text)
	}
	assert.Equal(t, "engine", kindOf("engine", []string{"/epics/ioc/ioc"}), "a test of a release")
}

func TestUsageAddsUp(t *testing.T) {
	var u usage
	u = u.add(procfs.ProcStat{State: "S", NumThreads: 3, UTime: 100, STime: 50, CUTime: 25, CSTime: 25, RSS: 2}, 7)
	u = u.add(procfs.ProcStat{State: "Z", NumThreads: 1}, 0)
	assert.Equal(t, usage{Processes: 2, Zombies: 1, Memory: 2 * os.Getpagesize(), Files: 7, Threads: 4,
		Processor: 2 * time.Second}, u)
}

func TestCountFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/link", "a/b/link", "c/link"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	n, err := countFiles(dir)
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	_, err = countFiles(filepath.Join(dir, "none"))
	assert.Error(t, err, "where the registry is must be known")
}

// steady is a run after which everything is as before.
func steady() result {
	s := sample{Pods: 10, Secrets: 40, Maps: 12, Leases: 1, Registry: 300, Kinds: map[string]usage{
		"kube-apiserver": {Processes: 1, Memory: 300e6, Files: 100, Threads: 20},
		kindIOCs:         {Processes: 10, Memory: 100e6, Files: 200, Threads: 150}}}
	after := s
	after.Kinds = maps.Clone(s.Kinds)
	return result{IOCs: 10, Length: time.Minute, Seed: 7, Done: map[string]int{"rollback": 3}, Before: s, After: after}
}

func TestEachLeakIsAFault(t *testing.T) {
	require.NoError(t, steady().fault())
	grow := func(kind string, change func(*usage)) func(*result) {
		return func(r *result) {
			u := r.After.Kinds[kind]
			change(&u)
			r.After.Kinds[kind] = u
		}
	}
	for want, leak := range map[string]func(*result){
		"zombies":                          grow(kindIOCs, func(u *usage) { u.Zombies = 1 }),
		"pods":                             func(r *result) { r.After.Pods++ },
		"9 of 10 pods are left":            func(r *result) { r.After.Pods-- },
		"Helm secrets":                     func(r *result) { r.After.Secrets = 101 },
		"ConfigMaps":                       func(r *result) { r.After.Maps++ },
		"leases":                           func(r *result) { r.After.Leases++ },
		"volume claims":                    func(r *result) { r.After.Volumes++ },
		"in the registry":                  func(r *result) { r.After.Registry++ },
		"supervision":                      func(r *result) { r.Supervision = 0.6 },
		"kube-apiserver: memory":           grow("kube-apiserver", func(u *usage) { u.Memory = 500e6 }),
		"kube-apiserver: file descriptors": grow("kube-apiserver", func(u *usage) { u.Files = 200 }),
		"IOCs: threads":                    grow(kindIOCs, func(u *usage) { u.Threads = 300 }),
	} {
		r := steady()
		leak(&r)
		assert.ErrorContains(t, r.fault(), want)
	}
}

func TestTable(t *testing.T) {
	r := steady()
	r.After.Maps, r.Supervision = 13, 0.042
	text := r.table(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), "2 × a processor")
	assert.Contains(t, text, "Measured on 2026-11-26 by `make soak`, on 2 × a processor: 10 IOCs for 1m0s, seed 7.")
	assert.Contains(t, text, "| rollback | 3 |")
	assert.Contains(t, text, "| ConfigMaps | 12 | 13, missed | 12 |")
	assert.Contains(t, text, "| supervision | 0.00 processors | 0.04 processors | 0.50 processors |")
	assert.Contains(t, text, "| kube-apiserver: memory | 300 MB | 300 MB | 463 MB |")
}
