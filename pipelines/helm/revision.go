package helm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"helm.sh/helm/v3/pkg/release"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// Labels of every Helm release that Tagline made, beside cluster.LabelBeamline.
// They survive Helm's rollback, which a release's description does not.
const (
	labelVersion = "tagline.version" // the beamline's, as an OCI tag
	labelChart   = "tagline.chart"   // the chart's digest
	labelRecord  = "tagline.record"  // the record's digest
)

// Stores selects the secrets in which Helm keeps releases.
const Stores = "owner=helm"

// Revision is one stored revision of an instance's Helm release.
type Revision struct {
	Instance string
	Number   int    // from 1
	Status   string // Helm's: "deployed", "superseded", "failed", "uninstalled", "pending-upgrade" …
	Beamline string // empty when Tagline did not make it
	Version  string // of the beamline, as an OCI tag
	Chart    string // its digest, as a label holds it: 63 hex digits; empty when Tagline did not make it
}

// IsOf reports whether the revision is of the chart at ref ("…@sha256:…").
func (r Revision) IsOf(ref asset.Ref) bool {
	return r.Chart != "" && r.Chart == digestLabel(ref.Digest())
}

// Runs reports whether the revision's objects are meant to be in the cluster.
func (r Revision) Runs() bool { return r.Status == release.StatusDeployed.String() }

// Interrupted reports whether a run ended in the middle: some of its
// objects may be in the cluster.
func (r Revision) Interrupted() bool {
	return strings.HasPrefix(r.Status, "pending-") || r.Status == release.StatusUninstalling.String() ||
		r.Status == release.StatusFailed.String()
}

// History is what Helm keeps of a namespace: the revisions of each instance,
// newest first.
type History map[string][]Revision

// Latest returns the newest revision of an instance; ok is false when there is none.
func (h History) Latest(instance string) (r Revision, ok bool) {
	if len(h[instance]) == 0 {
		return Revision{}, false
	}
	return h[instance][0], true
}

// Stored returns the revisions of all Helm releases in the namespace, including
// those that Tagline did not make. Only the labels of the secrets are read: the
// charts in them weigh megabytes.
func Stored(ctx context.Context, n *cluster.Namespace) (History, error) {
	secrets := n.Metadata.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(n.Name)
	list, err := secrets.List(ctx, metav1.ListOptions{LabelSelector: Stores})
	if err != nil {
		return nil, cluster.Broken("listing the Helm releases of namespace "+n.Name, err)
	}
	return Revisions(list.Items), nil
}

// Revisions returns what Stored does, of the metadata of a namespace's secrets.
func Revisions(secrets []metav1.PartialObjectMetadata) History {
	h := History{}
	for _, s := range secrets {
		number, err := strconv.Atoi(s.Labels["version"])
		if err != nil {
			continue // not a release
		}
		name := s.Labels["name"]
		h[name] = append(h[name], Revision{
			Instance: name, Number: number, Status: s.Labels["status"],
			Beamline: s.Labels[cluster.LabelBeamline], Version: s.Labels[labelVersion], Chart: s.Labels[labelChart],
		})
	}
	for _, revisions := range h {
		slices.SortFunc(revisions, func(a, b Revision) int { return b.Number - a.Number })
	}
	return h
}

// keep is how many stored revisions of an instance Prune leaves. The charts of
// older releases come back from the registry.
const keep = 10

// Prune deletes the oldest stored revisions of the beamline's instances, but none
// that is deployed. history is what Stored returned.
func Prune(ctx context.Context, n *cluster.Namespace, history History) error {
	secrets := n.Client.CoreV1().Secrets(n.Name)
	for _, instance := range slices.Sorted(maps.Keys(history)) {
		for _, r := range history[instance][min(keep, len(history[instance])):] {
			if r.Beamline != n.Beamline || r.Runs() {
				continue
			}
			err := secrets.Delete(ctx, secretName(r), metav1.DeleteOptions{})
			if err != nil && !apierrors.IsNotFound(err) {
				return cluster.Broken("deleting old revisions of "+instance, err)
			}
		}
	}
	return nil
}

// labelValue returns as much of a version as a label holds: 63 characters, the
// last of which is a letter or a digit.
func labelValue(version string) string {
	return strings.TrimRight(version[:min(63, len(version))], "-_.")
}

// digestLabel returns a digest as a label value, which holds 63 characters: the
// hex digits but for the last.
func digestLabel(d asset.Digest) string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	return hex[:min(len(hex), 63)]
}

// secretName is how Helm names the secret that holds a revision.
func secretName(r Revision) string {
	return fmt.Sprintf("sh.helm.release.v1.%s.v%d", r.Instance, r.Number)
}
