package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/local/state"
	releases "github.com/tagline-ci/tagline/pipelines/registry"
)

// testTrial returns a trial whose tagline is a shell script.
func testTrial(t *testing.T, script string) *trial {
	t.Helper()
	command := filepath.Join(t.TempDir(), "tagline")
	require.NoError(t, os.WriteFile(command, []byte("#!/bin/sh\n"+script), 0o700))
	options := fleet.Options{Command: command, Line: "faults"}
	return &trial{
		Fleet: &fleet.Fleet{Options: options, State: state.Dir(t.TempDir())},
		rng:   rand.New(rand.NewPCG(1, 0)), version: fleet.First,
	}
}

// prepared finds the command when its script has set its traps, and has written the number
// of its process.
func prepared(t *trial) (int, error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(t.Command + ".pid") // not there yet
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return pid, nil
		}
	}
	return 0, errors.New("the script does not begin")
}

func TestAFaultMeetsTheCommand(t *testing.T) {
	of := func(h how) fault { return fault{part: "the command", how: h} }
	whenPrepared := func(h how) fault { return fault{part: "the command", how: h, pid: prepared} }
	absent := func(find func(*trial) (int, error)) fault { return fault{part: "API server", how: killed, pid: find} }
	const (
		waits    = `echo $$ >"$0.pid"; while :; do sleep 0.1; done`
		putsBack = "trap 'echo put back; exit 4' INT; " + waits
		goesOn   = "trap 'exit 0' CONT; " + waits
		works    = "exec sleep 600"
	)
	for name, c := range map[string]struct {
		script string
		fault  fault
		early  bool
		want   string
	}{
		"ended before":         {"exit 0", of(killed), true, ""},
		"failed before":        {"exit 3", of(killed), true, "exit status 3"},
		"killed":               {works, of(killed), false, "signal: killed"},
		"interrupted":          {putsBack, whenPrepared(interrupted), false, "exit status 4: put back"},
		"frozen, and goes on":  {goesOn, whenPrepared(frozen), false, ""},
		"a part does not run":  {works, absent(daemon("kube-apiserver")), false, errUnmended.Error()},
		"a child does not run": {works, absent(child("kube kubelet")), false, errUnmended.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delay := time.Duration(0)
			if c.early {
				delay = time.Hour
			}
			b := testTrial(t, c.script)
			early, err := b.struck(t.Context(), work{kind: "promotion"}, c.fault, delay, 100*time.Millisecond)
			assert.Equal(t, c.early, early)
			if c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
			}
		})
	}
}

func TestWhatIsDoneAfterAFault(t *testing.T) {
	b := testTrial(t, `test "$3 $4" = "up "`)
	etcd := fault{part: "etcd", how: killed, pid: daemon("kube-etcd")}
	kubelet := fault{part: "kubelet", how: killed, pid: daemon("kube-node"), mended: true}
	require.NoError(t, b.mend(t.Context(), etcd))
	require.NoError(t, b.mend(t.Context(), kubelet), "the node does it")
	require.NoError(t, b.mend(t.Context(), fault{part: "the command", how: killed}))
	etcd.how = full
	require.Error(t, testTrial(t, "exit 1").mend(t.Context(), etcd))
}

// What lasts is over in the end: a process can be ended, and opens files again.
func TestAFaultThatLasts(t *testing.T) {
	for _, h := range []how{frozen, slowed, spent, full} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			// A shell's descriptors are its own, and it opens and writes a file now and then.
			loop := exec.Command("sh", "-c", "trap '' XFSZ; while sleep 0.05 && echo >file; do :; done; exit 1")
			loop.Dir = t.TempDir()
			require.NoError(t, loop.Start())
			f := fault{part: "engine", how: h, pid: daemon("engine")}
			ended := make(chan error, 1)
			if h == spent || h == full {
				lasts, over := context.WithCancel(t.Context())
				go func() { ended <- loop.Wait(); over() }()
				err := f.strike(lasts, loop.Process.Pid, time.Minute)
				_ = loop.Process.Kill() // it has ended
				require.ErrorIs(t, err, context.Canceled, "it could write a file")
				require.Error(t, <-ended)
				return
			}
			require.NoError(t, f.strike(t.Context(), loop.Process.Pid, 300*time.Millisecond))
			go func() { ended <- loop.Wait() }()
			select {
			case <-ended:
				require.Fail(t, "it ended")
			case <-time.After(300 * time.Millisecond):
			}
			require.NoError(t, loop.Process.Signal(syscall.SIGTERM))
			require.Error(t, <-ended, "one that is frozen would not end")
		})
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	own := fault{part: "engine", how: spent, pid: daemon("engine")}
	var before, after unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &before))
	require.Error(t, own.strike(ended, os.Getpid(), time.Hour))
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &after))
	require.Equal(t, before, after)
}

// Nobody reaches a port that is cut, and everybody does afterwards.
func TestANetworkThatIsCut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it changes the firewall")
	}
	up := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(up.Close)
	b := testTrial(t, "sleep 0.5")
	b.Registry = up.Listener.Addr().String() + "/faults"
	f := fault{part: "network to the registry", how: cut, port: server(shelf)}
	ended := make(chan error, 1)
	lasts, over := context.WithCancel(t.Context())
	defer over()
	go func() { ended <- b.strike(lasts, f, 0, time.Hour) }()
	reached := func(within time.Duration) error {
		c, err := net.DialTimeout("tcp", up.Listener.Addr().String(), within)
		if err == nil {
			err = c.Close()
		}
		return err
	}
	require.Eventually(t, func() bool { return reached(time.Second) != nil }, time.Minute, time.Millisecond)
	over()
	require.Equal(t, "context canceled", (<-ended).Error(), "and nothing else failed")
	require.NoError(t, reached(time.Minute))
}

func TestAReleaseWithoutARecordIsNotHalfPublished(t *testing.T) {
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	b := testTrial(t, "")
	var err error
	b.registry, err = releases.New(strings.TrimPrefix(server.URL, "http://")+"/faults", releases.Options{})
	require.NoError(t, err)
	assert.NoError(t, b.halfPublished(t.Context(), work{kind: "promotion"}))
	assert.NoError(t, b.halfPublished(t.Context(), work{kind: "release", version: "2026.2.1"}))
	server.Close()
	assert.Error(t, b.halfPublished(t.Context(), work{kind: "release", version: "2026.2.1"}), "it could not look")
}

func TestTable(t *testing.T) {
	r := result{IOCs: 3, Seed: 7, Rows: map[string]counts{}}
	r.add("etcd killed", counts{Runs: 1, Succeeded: 1})
	r.add("etcd killed", counts{Runs: 1})
	r.add("API server frozen", counts{Runs: 1, Early: 1})
	text := r.table(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), "2 × Xeon")
	assert.Contains(t, text, "on 2026-01-02 by `make faults`, on 2 × Xeon: 3 faults to a beamline of 3 IOCs, seed 7.")
	assert.Contains(t, text, "| API server frozen | 1 | 1 | 0 | 0 |\n| etcd killed | 2 | 0 | 1 | 1 |\n")
}
