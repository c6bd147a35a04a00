package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// keep is how many revisions Helm stores of an instance. Older releases of the
// beamline come back from the registry.
const keep = 10

// Deploy makes one instance run the chart in archive (a packaged chart, .tgz)
// and returns when Kubernetes has taken its objects, not when the IOC is ready.
//
// ctx is looked at before the work and not during it: Helm goes on in the
// background when it is cancelled, and an instance that changes behind our back
// could not be put back. Each request has a time limit instead.
func (n *Namespace) Deploy(ctx context.Context, rel Release, inst record.Instance, archive []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// A chart of its own for each call: Helm writes into the charts it is given.
	c, err := loader.LoadArchive(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("reading chart %s: %w", inst.Chart, err)
	}
	if c.Name() != inst.Name {
		return fmt.Errorf("reading chart %s: it is the chart of %q, not of %s", inst.Chart, c.Name(), inst.Name)
	}
	cfg, err := n.helm()
	if err != nil {
		return err
	}
	last, err := n.settle(cfg, inst.Name)
	switch {
	case err != nil:
		return err
	case last == nil || last.Info.Status == release.StatusUninstalled:
		return n.install(cfg, rel, inst, c)
	}
	up := action.NewUpgrade(cfg)
	up.Namespace, up.MaxHistory, up.ResetValues = n.Name, keep, true
	up.Timeout = requestTimeout // of hooks
	up.Labels, up.Description = n.labels(rel, inst), rel.title()
	if _, err := up.RunWithContext(context.WithoutCancel(ctx), inst.Name, c, map[string]any{}); err != nil {
		return fmt.Errorf("upgrading %s to %s: %w", inst.Name, rel.Record.Version, err)
	}
	return nil
}

func (n *Namespace) install(cfg *action.Configuration, rel Release, inst record.Instance, c *chart.Chart) error {
	in := action.NewInstall(cfg)
	in.ReleaseName, in.Namespace = inst.Name, n.Name
	in.Replace = true // a release that was uninstalled and left its history
	in.Timeout = requestTimeout
	in.Labels, in.Description = n.labels(rel, inst), rel.title()
	if _, err := in.Run(c, map[string]any{}); err != nil {
		return fmt.Errorf("installing %s %s: %w", inst.Name, rel.Record.Version, err)
	}
	return nil
}

// Restore puts one instance back on a stored revision, as a new one. It needs
// no registry, and returns when Kubernetes has taken the objects.
func (n *Namespace) Restore(ctx context.Context, instance string, number int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cfg, err := n.helm()
	if err != nil {
		return err
	}
	if _, err := n.settle(cfg, instance); err != nil {
		return err
	}
	back := action.NewRollback(cfg)
	back.Version, back.MaxHistory, back.Timeout = number, keep, requestTimeout
	if err := back.Run(instance); err != nil {
		return fmt.Errorf("putting %s back on revision %d: %w", instance, number, err)
	}
	return nil
}

// Remove uninstalls one instance and waits for nothing. Its autosave volume is
// kept by the chart's own resource policy, and its history by us, so that it can
// come back without a registry. An instance that is not there is no error.
func (n *Namespace) Remove(ctx context.Context, instance string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cfg, err := n.helm()
	if err != nil {
		return err
	}
	last, err := n.settle(cfg, instance)
	if err != nil || last == nil || last.Info.Status == release.StatusUninstalled {
		return err
	}
	un := action.NewUninstall(cfg)
	un.KeepHistory, un.Timeout = true, requestTimeout
	if _, err := un.Run(instance); err != nil {
		return fmt.Errorf("uninstalling %s: %w", instance, err)
	}
	return nil
}

// settle gives the newest revision of an instance, nil when it never had one.
//
// A revision that a killed or refused run left half done is counted as
// deployed: Helm refuses to go on from a pending one, and finds what to take
// away by comparing with the deployed one. Counting the older one as deployed
// would leave behind whatever the half done one brought.
func (n *Namespace) settle(cfg *action.Configuration, instance string) (*release.Release, error) {
	last, err := cfg.Releases.Last(instance)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, n.broken("reading the Helm release of "+instance, err)
	}
	if !(Revision{Status: last.Info.Status.String()}).Interrupted() {
		return last, nil
	}
	deployed, err := cfg.Releases.DeployedAll(instance)
	if err != nil && !errors.Is(err, driver.ErrNoDeployedReleases) {
		return nil, n.broken("reading the Helm releases of "+instance, err)
	}
	was := last.Info.Status
	last.SetStatus(release.StatusDeployed, "Interrupted while "+was.String()+"; recovered")
	if err := cfg.Releases.Update(last); err != nil {
		return nil, n.broken("recovering the Helm release of "+instance, err)
	}
	for _, older := range deployed {
		older.Info.Status = release.StatusSuperseded
		if err := cfg.Releases.Update(older); err != nil {
			return nil, n.broken("recovering the Helm release of "+instance, err)
		}
	}
	return last, nil
}

// helm gives a configuration for one piece of work on one release: Helm keeps
// state in it.
func (n *Namespace) helm() (*action.Configuration, error) {
	cfg := new(action.Configuration)
	if err := cfg.Init(n.getter, n.Name, "secret", func(string, ...any) {}); err != nil {
		return nil, fmt.Errorf("preparing Helm: %w", err)
	}
	return cfg, nil
}

func (n *Namespace) labels(rel Release, inst record.Instance) map[string]string {
	v, err := version.Parse(rel.Record.Version)
	tag := v.OCITag()
	if err != nil {
		tag = ""
	}
	return map[string]string{
		labelBeamline: n.Beamline,
		labelVersion:  tag,
		labelChart:    digestLabel(inst.Chart),
		labelRecord:   digestLabel(rel.Digest),
	}
}
