// Package fleet is a beamline of many IOCs on the stand-in cluster, with two
// released versions, for the programs that do to it what weeks or faults do.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// The versions that each fleet has from the start.
const (
	First  = "2026.1.1"
	Second = "2026.1.2"
)

// Other returns the one of First and Second that a version is not.
func Other(version string) string {
	if version == First {
		return Second
	}
	return First
}

// images are the tags of what every IOC runs on.
var images = []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0"}

// Options say which fleet is made, and with what.
type Options struct {
	Command string // the tagline that is run
	Line    string // the beamline's name, and that of its namespace
	IOCs    int
}

// Fleet is the beamline, in its namespace.
type Fleet struct {
	Options
	*cluster.Namespace
	State    state.Dir // of tagline up
	Registry string    // where it is released to
	site     *site
	dir      string // of its repository
}

// New makes a repository, releases both versions, and promotes the first, with
// what tagline up started: TAGLINE_STATE says where. Another run with as many
// IOCs finds the releases of this one.
func New(ctx context.Context, o Options) (f *Fleet, err error) {
	f = &Fleet{Options: o}
	if f.State, err = state.FromEnvironment(os.Getenv); err != nil {
		return nil, err
	}
	env, err := local.ReadEnv(f.State)
	if err != nil {
		return nil, err
	}
	if f.Command, err = filepath.Abs(o.Command); err != nil {
		return nil, err
	}
	if f.dir, err = os.MkdirTemp("", "tagline-"+o.Line); err != nil {
		return nil, err
	}
	if err := f.begin(ctx, env); err != nil {
		os.RemoveAll(f.dir)
		return nil, err
	}
	return f, nil
}

// begin does what New does with the repository, the registry and the cluster.
func (f *Fleet) begin(ctx context.Context, env local.Env) (err error) {
	o := f.Options
	f.Namespace, err = cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, o.Line, o.Line)
	if err != nil {
		return err
	}
	if f.site, err = newSite(f.dir, o.Line, o.IOCs); err != nil {
		return err
	}
	if err := f.Tagline(ctx, "lock"); err != nil {
		return err
	}
	locked, err := f.site.commit("Lock what the recipes name", append(images, o.Line+"/"+First)...)
	if err != nil {
		return err
	}
	f.Registry = fmt.Sprintf("%s/%s/%s", env.Registry, o.Line, locked[:12])
	if err := f.Tag(Second); err != nil {
		return err
	}
	for _, tag := range append(images, o.Line+"/"+First, o.Line+"/"+Second) {
		if err := f.Tagline(ctx, f.Release(tag)...); err != nil {
			return err
		}
	}
	return f.Tagline(ctx, f.Promotion(First)...)
}

// Tag changes every third start-up script, and tags that as a version of the
// beamline.
func (f *Fleet) Tag(version string) error {
	if err := f.site.change(); err != nil {
		return err
	}
	_, err := f.site.commit("Change every third IOC", f.Line+"/"+version)
	return err
}

// Release returns the command line that releases a tag.
func (f *Fleet) Release(tag string) []string {
	return []string{"release", tag, "--registry", f.Registry}
}

// Promotion returns the command line that promotes a version. It lifts the hold
// too that a rollback placed.
func (f *Fleet) Promotion(version string) []string {
	return []string{"promote", f.Line, version, "--registry", f.Registry, "--lift-hold", "the trial goes on"}
}

// Cmd returns a tagline that is not started yet, in the fleet's repository.
func (f *Fleet) Cmd(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, f.Command, append([]string{"--repo", f.dir}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// Tagline runs a command as a person would. The error has what it wrote.
func (f *Fleet) Tagline(ctx context.Context, args ...string) error {
	Say("tagline " + strings.Join(args, " "))
	if out, err := f.Cmd(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("tagline %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Say writes what happens, with the time, to stderr.
func Say(what string) { fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), what) }

// Settled waits until the beamline has been whole for a while, and returns what
// it lacks after the limit.
func (f *Fleet) Settled(ctx context.Context, stable, limit time.Duration) error {
	late := time.Now().Add(limit)
	for since := time.Now(); time.Since(since) < stable; {
		st, err := status.Read(ctx, f.Namespace)
		if err != nil {
			return err
		}
		if err := whole(st, f.IOCs); err != nil {
			if time.Now().After(late) {
				return fmt.Errorf("after %s: %w", limit, err)
			}
			since = time.Now()
		}
		if err := Sleep(ctx, min(stable, 2*time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// Sleep returns after a while, or with the error of a context that ended.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// whole returns what a beamline lacks of being one release that the ledger
// names, of which every IOC is ready.
func whole(st *status.Status, iocs int) error {
	switch {
	case st.Version == "":
		return errors.New("the ledger names no release")
	case st.Underway != "":
		return errors.New("a change to " + st.Underway + " was never ended")
	case len(st.Strays) > 0:
		return fmt.Errorf("pods that are no IOC's: %q", st.Strays)
	case len(st.Instances) != iocs:
		return fmt.Errorf("%d instances, want %d", len(st.Instances), iocs)
	}
	for _, i := range st.Instances {
		switch {
		case !i.Ready:
			return errors.New(i.Name + " is not ready: " + i.Doing)
		case i.Version != st.Version:
			return fmt.Errorf("%s runs %s, and the ledger says %s", i.Name, i.Version, st.Version)
		case len(i.Drift) > 0:
			return fmt.Errorf("%s differs from its release: %q", i.Name, i.Drift)
		}
	}
	return nil
}

// Remove takes the beamline off the cluster, and its repository away. It does so after an interruption
// too: its IOCs would go on serving.
func (f *Fleet) Remove() {
	os.RemoveAll(f.dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f.Client.CoreV1().Namespaces().Delete(ctx, f.Line, metav1.DeleteOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, "removing namespace "+f.Line+":", err)
	}
}
