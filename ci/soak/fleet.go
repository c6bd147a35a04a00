package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// The names of what is soaked.
const (
	line   = "soak"
	first  = "2026.1.1"
	second = "2026.1.2"
)

// images are the tags of what every IOC runs on.
var images = []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0"}

// fleet is the beamline that is soaked, in its namespace.
type fleet struct {
	options
	*cluster.Namespace
	dir      string // its repository
	registry string
	killed   map[string]int // instance → how often it was killed
}

// newFleet makes the repository, releases both versions, and promotes the
// first.
func newFleet(ctx context.Context, o options, env local.Env, dir string) (*fleet, error) {
	b := &fleet{options: o, dir: dir, killed: map[string]int{}}
	var err error
	b.Namespace, err = cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, line, line)
	if err != nil {
		return nil, err
	}
	s, err := newSite(dir, o.iocs)
	if err != nil {
		return nil, err
	}
	if err := b.tagline(ctx, "lock"); err != nil {
		return nil, err
	}
	locked, err := s.commit("Lock what the recipes name", append(images, line+"/"+first)...)
	if err != nil {
		return nil, err
	}
	b.registry = fmt.Sprintf("%s/%s/%s", env.Registry, line, locked[:12])
	if err := s.change(); err != nil {
		return nil, err
	}
	if _, err := s.commit("Change every third IOC", line+"/"+second); err != nil {
		return nil, err
	}
	for _, tag := range append(images, line+"/"+first, line+"/"+second) {
		if err := b.tagline(ctx, "release", tag, "--registry", b.registry); err != nil {
			return nil, err
		}
	}
	return b, b.promote(ctx, first)
}

// promote lifts the hold too that a rollback placed.
func (b *fleet) promote(ctx context.Context, version string) error {
	return b.tagline(ctx, "promote", line, version, "--registry", b.registry, "--lift-hold", "the soak goes on")
}

// tagline runs a command as a person would.
func (b *fleet) tagline(ctx context.Context, args ...string) error {
	fmt.Fprintf(os.Stderr, "%s tagline %s\n", time.Now().Format(time.TimeOnly), strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, b.command, append([]string{"--repo", b.dir}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("tagline %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// remove takes the beamline off the cluster. It does so after an interruption
// too: its IOCs would go on serving.
func (b *fleet) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := b.Client.CoreV1().Namespaces().Delete(ctx, line, metav1.DeleteOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, "soak: removing namespace "+line+":", err)
	}
}
