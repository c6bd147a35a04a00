package helm

import (
	"io"

	"helm.sh/helm/v3/pkg/kube"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	cliresource "k8s.io/cli-runtime/pkg/resource"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// overriding is Helm's client for the objects of one instance. Whatever reads a
// chart's manifest reads it through Build, so what people set beside the chart
// holds for deploying, for putting back and for finding drift.
type overriding struct {
	*kube.Client
	instance string
	override ledger.Override
}

// Build reads the objects of a manifest, with what people set for the instance.
func (c overriding) Build(manifest io.Reader, validate bool) (kube.ResourceList, error) {
	objects, err := c.Client.Build(manifest, validate)
	if err != nil {
		return nil, err
	}
	for _, info := range objects {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		if object.GetKind() == "PersistentVolumeClaim" {
			keepSize(object, live(info))
		}
		if err := override(object, c.instance, c.override); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// live returns an object as the cluster has it, nil where it cannot be read.
func live(info *cliresource.Info) *unstructured.Unstructured {
	object, err := cliresource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
	if err != nil {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil
	}
	return &unstructured.Unstructured{Object: content}
}

// keepSize asks for the size that a claim already has where the manifest asks for
// less: Kubernetes lets a claim grow and refuses to shrink it, and a release that
// made it grow must still be undone.
func keepSize(wanted, live *unstructured.Unstructured) {
	if live == nil {
		return
	}
	path := []string{"spec", "resources", "requests", "storage"}
	less, more := quantity(wanted, path), quantity(live, path)
	if less != nil && more != nil && more.Cmp(*less) > 0 {
		_ = unstructured.SetNestedField(wanted.Object, more.String(), path...) // the path was just read
	}
}

func quantity(object *unstructured.Unstructured, path []string) *resource.Quantity {
	text, found, err := unstructured.NestedString(object.Object, path...)
	if !found || err != nil {
		return nil
	}
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return nil
	}
	return &q
}

// override changes the instance's own Deployment as people want it.
func override(object *unstructured.Unstructured, instance string, o ledger.Override) error {
	if object.GetKind() != "Deployment" || object.GetName() != instance {
		return nil
	}
	if err := setReplicas(object, o.Stopped != nil); err != nil {
		return err
	}
	if o.Node == "" {
		return nil
	}
	return unstructured.SetNestedField(object.Object, o.Node, NodePath...)
}

// setReplicas lets an instance run where nobody stopped it, and only there. A chart
// with start: false has none: that is how the instance comes to its beamline, not
// how it stays.
func setReplicas(object *unstructured.Unstructured, stopped bool) error {
	replicas, found, err := unstructured.NestedFieldNoCopy(object.Object, "spec", "replicas")
	switch {
	case err != nil:
		return err
	case stopped:
		return unstructured.SetNestedField(object.Object, int64(0), "spec", "replicas")
	case found && replicas == int64(0):
		return unstructured.SetNestedField(object.Object, int64(1), "spec", "replicas")
	}
	return nil
}

// NodePath is where a Deployment names the node that its pods must run on.
var NodePath = []string{"spec", "template", "spec", "nodeSelector", "kubernetes.io/hostname"}
