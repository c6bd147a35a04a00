package chart

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// Needs returns what a packaged chart brings and asks for beyond what an IOC needs,
// sorted, each in the words of a policy's consents: "kind Service", "hook
// pre-install", "privileged", "host path /dev/ttyUSB0". namespace is the release's,
// and image what its IOC runs. The chart is rendered as Helm would for a first
// release and for a later one; what a template makes of the cluster that it finds,
// or of the hour, only ManifestNeeds of what was made can see.
func Needs(tgz []byte, namespace, image string) ([]string, error) {
	found := map[string]bool{}
	for _, install := range []bool{true, false} {
		c, err := loader.LoadArchive(bytes.NewReader(tgz)) // for each, as rendering changes it
		if err != nil {
			return nil, fmt.Errorf("reading chart: %w", err)
		}
		texts, err := everything(c, namespace, install)
		if err != nil {
			return nil, err
		}
		all, err := ManifestNeeds(texts, namespace, image)
		if err != nil {
			return nil, fmt.Errorf("chart %s: %w", c.Name(), err)
		}
		for _, need := range all {
			found[need] = true
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// ManifestNeeds returns what the objects of manifests need, as Needs does for a chart.
// A manifest is YAML documents.
func ManifestNeeds(manifests []string, namespace, image string) ([]string, error) {
	n := needs{namespace, image, map[string]bool{}}
	for _, text := range manifests {
		all, err := objects(text)
		if err != nil {
			return nil, fmt.Errorf("reading manifests: %w", err)
		}
		for _, o := range all {
			n.object(o)
		}
	}
	return slices.Sorted(maps.Keys(n.found)), nil
}

// objects returns the objects of one template, as Helm's own reader takes them: a hook
// that begins as JSON may have one object after the other in one document.
func objects(text string) (all []map[string]any, err error) {
	docs, err := documents(text)
	if err != nil {
		return nil, err
	}
	for _, doc := range docs {
		each := kyaml.NewYAMLOrJSONDecoder(bytes.NewReader(bytes.TrimSpace(doc)), 4096) // as kubectl's reader has it
		for {
			var o map[string]any
			if err := each.Decode(&o); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
			if o != nil {
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// ordinary are the kinds that the library chart makes, as kindOf writes them.
var ordinary = []string{"ConfigMap", "Deployment.apps", "PersistentVolumeClaim"}

// ours is the name of Tagline's own objects, or begins it: the ledger, the policy.
const ours = "tagline"

// needs collects what objects need.
type needs struct {
	namespace, image string
	found            map[string]bool
}

func (n needs) add(format string, args ...any) { n.found[fmt.Sprintf(format, args...)] = true }

// object looks at one object and at all within it: a pod may be anywhere in one of
// a kind that nobody knows here.
func (n needs) object(o map[string]any) {
	items, isList := o["items"].([]any)
	for _, item := range items { // which are sent one by one
		n.object(fields(item))
	}
	kind := kindOf(o)
	if !slices.Contains(ordinary, kind) && !(isList && kind == "List") {
		n.add("kind %s", kind)
	}
	meta := fields(o["metadata"])
	if other, ok := meta["namespace"]; ok && other != n.namespace {
		n.add("namespace %v", other)
	}
	if name := fmt.Sprint(meta["name"]); name == ours || strings.HasPrefix(name, ours+"-") {
		n.add("name %s", name)
	}
	if hook, ok := fields(meta["annotations"])["helm.sh/hook"]; ok {
		for one := range strings.SplitSeq(fmt.Sprint(hook), ",") {
			n.add("hook %s", strings.TrimSpace(one))
		}
	}
	if keep, ok := fields(meta["annotations"])["helm.sh/resource-policy"]; ok && kind != "PersistentVolumeClaim" {
		n.add("resource policy %v", keep) // by which it stays when a rollback takes it away
	}
	if kind == "Service" { // of another type it takes traffic of nodes, of a load balancer or of a name
		t := fields(o["spec"])["type"]
		n.when(t != nil && t != "" && t != "ClusterIP", "service type %v", t)
	}
	if kind != "ConfigMap" { // whose data are an IOC's files
		n.within(o)
	}
}

// kindOf names a kind as kubectl does: "Service", "Role.rbac.authorization.k8s.io".
func kindOf(o map[string]any) string {
	kind := fmt.Sprint(o["kind"])
	if group, _, ok := strings.Cut(fmt.Sprint(o["apiVersion"]), "/"); ok {
		return kind + "." + group
	}
	return kind
}

// within looks for pods in a value, however deep, and at what they have in any depth.
func (n needs) within(value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			n.within(item)
		}
	case map[string]any:
		if containers(v) != nil {
			n.pod(v)
		}
		for key, field := range v {
			n.anywhere(key, field)
			n.within(field)
		}
	}
}

// fields returns what an object has, nothing for what is none.
func fields(value any) map[string]any {
	f, _ := value.(map[string]any)
	return f
}

// list returns what a list has, nothing for what is none.
func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// first returns the first of some values that is there.
func first(values ...any) any {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}
