package helm

import (
	"context"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"helm.sh/helm/v3/pkg/releaseutil"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// Deployed is what a revision put into the cluster.
type Deployed struct {
	Version  string // of the beamline, as an OCI tag
	Manifest string // YAML documents, without those of Secrets
}

// Changed returns what an instance runs and what it ran before, of another chart: the
// newest such revision that is stored. Both are nil when there is none.
func Changed(ctx context.Context, n *cluster.Namespace, instance string) (now, former *Deployed, err error) {
	secrets := n.Metadata.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(n.Name)
	list, err := secrets.List(ctx, metav1.ListOptions{LabelSelector: Stores + ",name=" + instance})
	if err != nil {
		return nil, nil, cluster.Broken("listing the Helm releases of "+instance, err)
	}
	revisions := Revisions(list.Items)[instance]
	runs := slices.IndexFunc(revisions, Revision.Runs)
	if runs < 0 {
		return nil, nil, nil
	}
	before := slices.IndexFunc(revisions[runs:], func(r Revision) bool { return r.Chart != revisions[runs].Chart })
	if before < 0 {
		return nil, nil, nil
	}
	if now, err = deployed(ctx, n, revisions[runs]); err != nil {
		return nil, nil, err
	}
	former, err = deployed(ctx, n, revisions[runs+before])
	return now, former, err
}

func deployed(ctx context.Context, n *cluster.Namespace, r Revision) (*Deployed, error) {
	cfg, err := configure(reading(ctx, n), r.Instance, ledger.Override{})
	if err != nil {
		return nil, err
	}
	stored, err := cfg.Releases.Get(r.Instance, r.Number)
	if err != nil {
		return nil, cluster.Broken("reading the Helm release of "+r.Instance, err)
	}
	return &Deployed{Version: r.Version, Manifest: withoutSecrets(stored.Manifest)}, nil
}

// withoutSecrets returns those YAML documents that are no Secrets.
func withoutSecrets(manifest string) string {
	documents := releaseutil.SplitManifests(manifest)
	names := make([]string, 0, len(documents))
	for name, text := range documents {
		var object metav1.TypeMeta
		if yaml.Unmarshal([]byte(text), &object) == nil && object.Kind != "Secret" {
			names = append(names, name)
		}
	}
	sort.Sort(releaseutil.BySplitManifestsOrder(names))
	var text strings.Builder
	for _, name := range names {
		text.WriteString(documents[name] + "\n")
	}
	return text.String()
}
