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
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// Promotion is what a promotion did to a beamline.
type Promotion struct {
	// The version that runs now, and the one that ran before.
	Version, Former string
	// What happened to each IOC, and all else, as tagline promote --output json prints it.
	Result *dagger.File
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
	// The beamline's namespace, where it was not promoted before and is not called as the beamline is.
	// +optional
	namespace string,
) (*Promotion, error) {
	v, err := asset.ParseVersion(version)
	if err != nil {
		return nil, err
	}
	reg, err := t.registry(ctx)
	if err != nil {
		return nil, err
	}
	access, err := accessOf(ctx, kubeconfig)
	if err != nil {
		return nil, err
	}
	there, err := ledger.Open(ctx, access, beamline, namespace)
	if err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, digest asset.Digest) (gate.Pass, error) {
		return passes(ctx, reg, there, access, v, digest)
	}
	pass, err := ask(ctx, "")
	if err != nil {
		return nil, err
	}
	result, err := promote.Run(ctx, promote.Deps{
		Cluster: there, Chart: reg.Chart, Timeout: promote.Patience,
		Holder: "dagger call " + time.Now().Format(time.RFC3339Nano),
		Again:  func(ctx context.Context) (gate.Pass, error) { return ask(ctx, pass.Digest()) },
	}, pass)
	if err != nil {
		return nil, err
	}
	file, err := shown("promotion.json", result)
	return &Promotion{Version: result.Version, Former: result.Former, Result: file}, err
}

// passes takes a release through the gate of a beamline: the record of that digest, or
// the one that the version names where it is empty.
func passes(
	ctx context.Context, reg *registry.Registry, n *cluster.Namespace, access cluster.Access, v asset.Version,
	digest asset.Digest,
) (gate.Pass, error) {
	rules, err := promote.Policy(ctx, n)
	if err != nil {
		return gate.Pass{}, err
	}
	inquiry, err := promote.Inquire(ctx, access, n, rules, reg)
	if err != nil {
		return gate.Pass{}, err
	}
	return inquiry.Pass(ctx, v, digest)
}

// Status asks the cluster what a beamline runs. The file is JSON, in the form of
// tagline status --output json.
//
// +cache="never"
func (t *Tagline) Status(
	ctx context.Context,
	// The beamline: bl01t
	beamline string,
	// The kubeconfig of the beamline's cluster.
	kubeconfig *dagger.Secret,
	// The beamline's namespace; where it was promoted to when left out.
	// +optional
	namespace string,
) (*dagger.File, error) {
	access, err := accessOf(ctx, kubeconfig)
	if err != nil {
		return nil, err
	}
	n, err := ledger.Open(ctx, access, beamline, namespace)
	if err != nil {
		return nil, err
	}
	if _, err := ledger.Known(ctx, n); err != nil {
		return nil, err
	}
	now, err := status.Read(ctx, n)
	if err != nil {
		return nil, err
	}
	return shown("status.json", now)
}

// accessOf is the way into a cluster. Kubernetes' library reads its configuration from a
// file, which is this container's alone and goes with it.
func accessOf(ctx context.Context, kubeconfig *dagger.Secret) (cluster.Access, error) {
	text, err := kubeconfig.Plaintext(ctx)
	if err != nil {
		return cluster.Access{}, err
	}
	file, err := os.CreateTemp("", "kubeconfig") // mode 0600
	if err != nil {
		return cluster.Access{}, err
	}
	defer file.Close()
	_, err = file.WriteString(text)
	return cluster.Access{Kubeconfig: file.Name()}, err
}
