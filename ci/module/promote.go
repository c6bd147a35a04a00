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
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Promote makes a beamline run a release and gives what it did to each IOC as
// JSON.
//
// +cache="never"
func (t *Tagline) Promote(
	ctx context.Context,
	beamline string,
	version string,
	// The kubeconfig of the beamline's cluster.
	kubeconfig *dagger.Secret,
) (string, error) {
	v, err := asset.ParseVersion(version)
	if err != nil {
		return "", err
	}
	reg, err := t.registry(ctx)
	if err != nil {
		return "", err
	}
	namespace, err := open(ctx, kubeconfig, beamline, beamline)
	if err != nil {
		return "", err
	}
	text, err := ledger.Policy(ctx, namespace)
	if err != nil {
		return "", err
	}
	rules, err := policy.Read("the policy of "+beamline, []byte(text))
	if err != nil {
		return "", err
	}
	inquiry := &gate.Inquiry{
		Beamline: asset.Name(beamline), Namespace: namespace.Name, Policy: rules, Registry: reg,
		Sigstore: sign.PublicSigstore, Now: time.Now(),
		Healthy: func(ctx context.Context, other string) (map[asset.Digest]time.Time, error) {
			there, err := open(ctx, kubeconfig, other, other)
			if err != nil {
				return nil, err
			}
			return pods.Healthy(ctx, there)
		},
	}
	verdict, err := inquiry.Ask(ctx, v, "")
	if err != nil {
		return "", err
	}
	pass, err := verdict.Pass()
	if err != nil {
		return "", err
	}
	result, err := promote.Run(ctx, promote.Deps{
		Cluster: namespace, Chart: reg.Chart, Timeout: promote.Patience,
		Holder: "dagger call " + time.Now().Format(time.RFC3339Nano),
	}, pass)
	return asJSON(result, err)
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
