// Package helm holds the Helm releases of a beamline's IOC instances: one for
// each instance, with its stored revisions.
package helm

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// unlimited lets Helm keep every revision: one that a change under way goes back
// to must not be dropped, however often that change is tried. Prune drops the
// old ones when no change is under way.
const unlimited = 0

// Deploy makes one instance run the chart in archive (a packaged chart, .tgz)
// and returns when Kubernetes has taken its objects, not when the IOC is ready.
//
// ctx is checked before the work and not during it: Helm goes on in the
// background when it is cancelled, and an instance that changes later could not
// be put back. Each request has a time limit instead. o is what people set for
// the instance beside its chart. The error is of kind Refused, and nothing was sent,
// when the chart needs more than rel.Needs says of the instance.
func Deploy(ctx context.Context, n *cluster.Namespace, rel ledger.Release, inst record.Instance, archive []byte,
	o ledger.Override) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The chart is loaded for each call, because Helm writes into it.
	c, err := loader.LoadArchive(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("reading chart %s: %w", inst.Chart, err)
	}
	if c.Name() != inst.Name {
		return fmt.Errorf("reading chart %s: it is the chart of %q, not of %s", inst.Chart, c.Name(), inst.Name)
	}
	cfg, err := configure(n, inst.Name, o)
	if err != nil {
		return err
	}
	cfg.Releases.Driver = judging{cfg.Releases.Driver, inst.Image, rel.Needs[inst.Name]}
	templates := &looking{RESTClientGetter: n.Helm, namespace: n.Name, instance: inst.Name}
	cfg.RESTClientGetter = templates
	if err := upgrade(ctx, n, cfg, rel, inst, c); err != nil {
		if templates.refused != nil { // which Helm wraps in no error of ours
			return templates.refused
		}
		return err
	}
	return nil
}

// upgrade makes a release of an instance, or the next revision of one.
func upgrade(
	ctx context.Context, n *cluster.Namespace, cfg *action.Configuration, rel ledger.Release, inst record.Instance,
	c *chart.Chart,
) error {
	last, err := settle(cfg, inst.Name)
	switch {
	case err != nil:
		return err
	case last == nil || last.Info.Status == release.StatusUninstalled:
		return install(n, cfg, rel, inst, c)
	}
	up := action.NewUpgrade(cfg)
	up.Namespace, up.MaxHistory, up.ResetValues = n.Name, unlimited, true
	up.Timeout = cluster.RequestTimeout // of hooks
	up.Labels, up.Description = labels(n, rel, inst), rel.Title()
	if _, err := up.RunWithContext(context.WithoutCancel(ctx), inst.Name, c, map[string]any{}); err != nil {
		return fmt.Errorf("upgrading %s to %s: %w", inst.Name, rel.Record.Version, err)
	}
	return nil
}

func install(
	n *cluster.Namespace,
	cfg *action.Configuration,
	rel ledger.Release,
	inst record.Instance,
	c *chart.Chart,
) error {
	in := action.NewInstall(cfg)
	in.ReleaseName, in.Namespace = inst.Name, n.Name
	in.Replace = true // a release that was uninstalled and left its history
	in.Timeout = cluster.RequestTimeout
	in.Labels, in.Description = labels(n, rel, inst), rel.Title()
	if _, err := in.Run(c, map[string]any{}); err != nil {
		return fmt.Errorf("installing %s %s: %w", inst.Name, rel.Record.Version, err)
	}
	return nil
}

// Restore puts one instance back on a stored revision, which Helm stores as a
// new one. It needs no registry, and returns when Kubernetes has taken the objects.
func Restore(ctx context.Context, n *cluster.Namespace, instance string, number int, o ledger.Override) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cfg, err := configure(n, instance, o)
	if err != nil {
		return err
	}
	if _, err := settle(cfg, instance); err != nil {
		return err
	}
	back := action.NewRollback(cfg)
	back.Version, back.MaxHistory, back.Timeout = number, unlimited, cluster.RequestTimeout
	if err := back.Run(instance); err != nil {
		return fmt.Errorf("putting %s back on revision %d: %w", instance, number, err)
	}
	return nil
}

// Remove uninstalls one instance and does not wait for its pod. The chart's
// resource policy keeps its autosave volume, and its stored revisions stay, so
// that it can come back without a registry. An instance that is not there is no
// error.
func Remove(ctx context.Context, n *cluster.Namespace, instance string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cfg, err := configure(n, instance, ledger.Override{})
	if err != nil {
		return err
	}
	last, err := settle(cfg, instance)
	if err != nil || last == nil || last.Info.Status == release.StatusUninstalled {
		return err
	}
	un := action.NewUninstall(cfg)
	un.KeepHistory, un.Timeout = true, cluster.RequestTimeout
	if _, err := un.Run(instance); err != nil {
		return fmt.Errorf("uninstalling %s: %w", instance, err)
	}
	return nil
}

// settle returns the newest revision of an instance, nil when it never had one.
//
// A revision that a killed or refused run left half done is marked as deployed.
// Helm does not go on from a pending one, and finds the objects to delete by
// comparing with the deployed one: if the older one were marked, the objects of
// the half done one would stay.
func settle(cfg *action.Configuration, instance string) (*release.Release, error) {
	last, err := cfg.Releases.Last(instance)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, cluster.Broken("reading the Helm release of "+instance, err)
	}
	if !(Revision{Status: last.Info.Status.String()}).Interrupted() {
		return last, nil
	}
	deployed, err := cfg.Releases.DeployedAll(instance)
	if err != nil && !errors.Is(err, driver.ErrNoDeployedReleases) {
		return nil, cluster.Broken("reading the Helm releases of "+instance, err)
	}
	was := last.Info.Status
	last.SetStatus(release.StatusDeployed, "Interrupted while "+was.String()+"; recovered")
	if err := cfg.Releases.Update(last); err != nil {
		return nil, cluster.Broken("recovering the Helm release of "+instance, err)
	}
	for _, older := range deployed {
		older.Info.Status = release.StatusSuperseded
		if err := cfg.Releases.Update(older); err != nil {
			return nil, cluster.Broken("recovering the Helm release of "+instance, err)
		}
	}
	return last, nil
}

// configure returns Helm's configuration for one action on one release. It is
// not shared, because Helm keeps state in it.
func configure(n *cluster.Namespace, instance string, o ledger.Override) (*action.Configuration, error) {
	cfg := new(action.Configuration)
	if err := cfg.Init(n.Helm, n.Name, "secret", func(string, ...any) {}); err != nil {
		return nil, fmt.Errorf("preparing Helm: %w", err)
	}
	if client, ok := cfg.KubeClient.(*kube.Client); ok {
		cfg.KubeClient = overriding{Client: client, instance: instance, override: o}
	}
	return cfg, nil
}

func labels(n *cluster.Namespace, rel ledger.Release, inst record.Instance) map[string]string {
	return map[string]string{
		cluster.LabelBeamline: n.Beamline,
		labelVersion:          labelValue(rel.Record.Version.OCITag()),
		labelChart:            digestLabel(inst.Chart.Digest()),
		labelRecord:           digestLabel(rel.Digest),
	}
}
