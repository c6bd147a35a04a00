package clustertest

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

var (
	core         = schema.GroupVersion{Version: "v1"}
	apps         = schema.GroupVersion{Group: "apps", Version: "v1"}
	coordination = schema.GroupVersion{Group: "coordination.k8s.io", Version: "v1"}
)

// kinds are those that the server knows, by resource.
var kinds = map[string]schema.GroupVersionKind{
	"configmaps":             core.WithKind("ConfigMap"),
	"deployments":            apps.WithKind("Deployment"),
	"events":                 core.WithKind("Event"),
	"leases":                 coordination.WithKind("Lease"),
	"namespaces":             core.WithKind("Namespace"),
	"nodes":                  core.WithKind("Node"),
	"persistentvolumeclaims": core.WithKind("PersistentVolumeClaim"),
	"pods":                   core.WithKind("Pod"),
	"secrets":                core.WithKind("Secret"),
	"services":               core.WithKind("Service"),
}

// resourceOf returns the resource that an object is of.
func resourceOf(o runtime.Object) (string, bool) {
	of, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return "", false
	}
	for resource, kind := range kinds {
		if kind == of[0] {
			return resource, true
		}
	}
	return "", false
}

// discovery returns what a server says of itself at a path, nil where the path is
// that of objects.
func discovery(path string) any {
	path = strings.Trim(path, "/")
	switch path {
	case "version":
		return map[string]string{"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
	case "api":
		return metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}}
	case "apis":
		return groups()
	case "openapi/v3":
		paths := map[string]any{}
		for _, g := range []schema.GroupVersion{core, apps, coordination} {
			paths[root(g)] = map[string]string{"serverRelativeURL": "/openapi/v3/" + root(g)}
		}
		return map[string]any{"paths": paths}
	}
	for _, g := range []schema.GroupVersion{core, apps, coordination} {
		switch path {
		case root(g):
			return resources(g)
		case "openapi/v3/" + root(g):
			return openAPI(g)
		}
	}
	return nil
}

// root is the path below which a group's objects are: "apis/apps/v1".
func root(g schema.GroupVersion) string {
	if g.Group == "" {
		return "api/" + g.Version
	}
	return "apis/" + g.String()
}

func groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for _, g := range []schema.GroupVersion{apps, coordination} {
		version := metav1.GroupVersionForDiscovery{GroupVersion: g.String(), Version: g.Version}
		list.Groups = append(list.Groups, metav1.APIGroup{
			Name: g.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
		})
	}
	return list
}

func resources(g schema.GroupVersion) metav1.APIResourceList {
	list := metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: g.String(),
	}
	for resource, kind := range kinds {
		if kind.GroupVersion() == g {
			list.APIResources = append(list.APIResources, metav1.APIResource{
				Name: resource, Kind: kind.Kind, Namespaced: !whole(resource),
				Verbs: metav1.Verbs{"create", "delete", "get", "list", "patch", "update"},
			})
		}
	}
	return list
}

// openAPI says of each kind that the server itself looks for unknown fields, so
// that a client need not.
func openAPI(g schema.GroupVersion) any {
	paths := map[string]any{}
	for resource, kind := range kinds {
		if kind.GroupVersion() == g {
			paths["/"+root(g)+"/"+resource+"/{name}"] = map[string]any{"patch": map[string]any{
				"x-kubernetes-group-version-kind": map[string]string{
					"group": kind.Group, "version": kind.Version, "kind": kind.Kind,
				},
				"parameters": []map[string]string{{"name": "fieldValidation", "in": "query"}},
			}}
		}
	}
	return map[string]any{"openapi": "3.0.0", "paths": paths}
}

// whole reports whether a resource is the whole cluster's.
func whole(resource string) bool { return resource == "nodes" || resource == "namespaces" }
