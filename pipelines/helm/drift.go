package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/cli-runtime/pkg/resource"

	"helm.sh/helm/v3/pkg/kube"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Drift returns the fields in which the cluster differs from what the instance's
// newest revision put there: "Deployment bl01t-mo-ioc-01: spec.replicas".
// Somebody changed these by hand. Fields that the chart does not set may have
// any value, and what people set for the instance on purpose, o, is no drift.
func Drift(ctx context.Context, n *cluster.Namespace, instance string, o ledger.Override) ([]string, error) {
	cfg, err := configure(reading(ctx, n), instance, o)
	if err != nil {
		return nil, err
	}
	last, err := cfg.Releases.Last(instance)
	if err != nil {
		return nil, cluster.Broken("reading the Helm release of "+instance, err)
	}
	// The first that comes here asks what the cluster serves, for all, and the others wait.
	objects, err := step.Soon(ctx, func() (kube.ResourceList, error) {
		return cfg.KubeClient.Build(strings.NewReader(last.Manifest), false)
	})
	if err != nil {
		return nil, cluster.Broken("reading the objects of "+instance, err)
	}
	var drift []string
	for _, want := range objects {
		d, err := differences(want)
		if err != nil {
			return nil, cluster.Broken("comparing the objects of "+instance, err)
		}
		drift = append(drift, d...)
	}
	return drift, nil
}

// differences returns the fields of one object that a promotion would set right.
func differences(want *resource.Info) ([]string, error) {
	name := want.Mapping.GroupVersionKind.Kind + " " + want.Name
	live, err := resource.NewHelper(want.Client, want.Mapping).Get(want.Namespace, want.Name)
	if apierrors.IsNotFound(err) {
		return []string{name + ": is gone"}, nil
	}
	if err != nil {
		return nil, err
	}
	patch, err := mend(want, live)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var tree map[string]any
	if err := json.Unmarshal(patch, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var lines []string
	for _, path := range leaves("", tree) {
		lines = append(lines, name+": "+path)
	}
	slices.Sort(lines)
	return lines, nil
}

// mend returns the patch that Helm would send to make live what is wanted, "{}"
// when nothing differs.
func mend(want *resource.Info, live runtime.Object) ([]byte, error) {
	wanted, err := json.Marshal(want.Object)
	if err != nil {
		return nil, err
	}
	current, err := json.Marshal(live)
	if err != nil {
		return nil, err
	}
	typed := kube.AsVersioned(want)
	if _, unknown := typed.(runtime.Unstructured); unknown {
		return jsonmergepatch.CreateThreeWayJSONMergePatch(wanted, wanted, current)
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateThreeWayMergePatch(wanted, wanted, current, meta, true)
}

// leaves returns the paths of a patch's fields. Directives ("$setElementOrder/…")
// and the names that select an element of a list are not fields, and a null is a
// field that the chart itself leaves empty.
func leaves(path string, value any) (paths []string) {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		for key, inner := range v {
			if strings.HasPrefix(key, "$") || key == "name" && len(v) > 1 {
				continue
			}
			paths = append(paths, leaves(strings.TrimPrefix(path+"."+key, "."), inner)...)
		}
		return paths
	case []any:
		for _, inner := range v {
			if m, ok := inner.(map[string]any); ok {
				name, _ := m["name"].(string)
				paths = append(paths, leaves(fmt.Sprintf("%s[%s]", path, name), m)...)
				continue
			}
			return []string{path}
		}
		return paths
	}
	return []string{path}
}
