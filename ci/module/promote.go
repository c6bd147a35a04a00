package main

import (
	"context"
	"os"
	"time"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// Promotion is what a promotion did to a beamline.
type Promotion struct {
	// The version that runs now, and the one that ran before.
	Version, Former string
	// The digest of the record that runs now.
	Record string
	// What happened to each IOC.
	Iocs []*Promoted
}

// Promoted is what a promotion did to one IOC.
type Promoted struct {
	// The IOC instance.
	Name string
	// "unchanged", "restarted", "started", "stopped" or "removed".
	Did string
	// The PV that was asked, and what it answered.
	Pv, Value string
}

// Promote makes a beamline run a release, and puts it back where an IOC does not
// live.
//
// +cache="never"
func (t *Tagline) Promote(
	ctx context.Context,
	// The beamline: bl01t
	beamline string,
	// The version of its release: 2026.11.1
	version string,
	// The kubeconfig of the beamline's cluster.
	kubeconfig *dagger.Secret,
) (*Promotion, error) {
	v, err := asset.ParseVersion(version)
	if err != nil {
		return nil, err
	}
	reg, err := t.registry(ctx)
	if err != nil {
		return nil, err
	}
	namespace, err := open(ctx, kubeconfig, beamline, beamline)
	if err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, digest asset.Digest) (gate.Pass, error) {
		return passes(ctx, reg, namespace, kubeconfig, v, digest)
	}
	pass, err := ask(ctx, "")
	if err != nil {
		return nil, err
	}
	result, err := promote.Run(ctx, promote.Deps{
		Cluster: namespace, Chart: reg.Chart, Timeout: promote.Patience,
		Holder: "dagger call " + time.Now().Format(time.RFC3339Nano),
		Again:  func(ctx context.Context) (gate.Pass, error) { return ask(ctx, pass.Digest()) },
	}, pass)
	if err != nil {
		return nil, err
	}
	p := &Promotion{Version: result.Version, Former: result.Former, Record: result.Record}
	for _, ioc := range result.IOCs {
		p.Iocs = append(p.Iocs, &Promoted{Name: ioc.Name, Did: ioc.Did, Pv: ioc.PV, Value: ioc.Value})
	}
	return p, nil
}

// passes takes a release through the gate of a beamline: the record of that digest, or
// the one that the version names where it is empty.
func passes(
	ctx context.Context, reg *registry.Registry, n *cluster.Namespace, kubeconfig *dagger.Secret, v asset.Version,
	digest asset.Digest,
) (gate.Pass, error) {
	text, applied, err := ledger.Policy(ctx, n)
	if err != nil {
		return gate.Pass{}, err
	}
	rules, err := policy.ReadApplied("the policy of "+n.Beamline, []byte(text), applied)
	if err != nil {
		return gate.Pass{}, err
	}
	now, err := n.Now(ctx)
	if err != nil {
		return gate.Pass{}, err
	}
	inquiry := &gate.Inquiry{
		Beamline: asset.Name(n.Beamline), Namespace: n.Name, Policy: rules, Registry: reg,
		Sigstore: sign.PublicSigstore, Now: now,
		Healthy: func(ctx context.Context, other string) (map[asset.Digest]time.Time, error) {
			there, err := open(ctx, kubeconfig, other, other)
			if err != nil {
				return nil, err
			}
			return pods.Healthy(ctx, there)
		},
	}
	return inquiry.Pass(ctx, v, digest)
}

// Status is what a beamline runs.
type Status struct {
	// The version that runs; empty before the first promotion.
	Version string
	// The digest of its record.
	Record string
	// Versions that ran before it, newest first.
	Before []string
	// Its IOCs in the cluster.
	Iocs []*Running
}

// Running is one IOC of a beamline in the cluster.
type Running struct {
	// The IOC instance, and the generic IOC that it runs.
	Name, Image string
	// Whether its probe PV answers.
	Ready bool
	// How often it was restarted since its pod was made.
	Restarts int
	// What it does, in a phrase.
	Doing string
	// Where the cluster differs from the release.
	Drift []string
}

// Status asks the cluster what a beamline runs.
//
// +cache="never"
func (t *Tagline) Status(
	ctx context.Context,
	// The beamline: bl01t
	beamline string,
	// The kubeconfig of the beamline's cluster.
	kubeconfig *dagger.Secret,
	// The beamline's namespace, where it is not called as the beamline is.
	// +optional
	namespace string,
) (*Status, error) {
	if namespace == "" {
		namespace = beamline
	}
	n, err := open(ctx, kubeconfig, beamline, namespace)
	if err != nil {
		return nil, err
	}
	now, err := status.Read(ctx, n)
	if err != nil {
		return nil, err
	}
	s := &Status{Version: now.Version, Record: now.Record, Before: now.Before}
	for _, i := range now.Instances {
		s.Iocs = append(s.Iocs, &Running{
			Name: i.Name, Image: i.IOC, Ready: i.Ready, Restarts: i.Restarts, Doing: i.Doing, Drift: i.Drift,
		})
	}
	return s, nil
}

// open opens a beamline's namespace. Kubernetes' library reads its
// configuration from a file, which is this container's alone and goes with it.
func open(ctx context.Context, kubeconfig *dagger.Secret, beamline, namespace string) (*cluster.Namespace, error) {
	text, err := kubeconfig.Plaintext(ctx)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "kubeconfig") // mode 0600
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		return nil, err
	}
	return cluster.Open(cluster.Access{Kubeconfig: file.Name()}, beamline, namespace)
}
