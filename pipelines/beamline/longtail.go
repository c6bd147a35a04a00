package beamline

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

const (
	useContainers = "write it below containers or initContainers"
	useNetwork    = "set network"
	usePlace      = "set nodeName, nodeSelector, affinity or tolerations"
	useUser       = "set uid or gid"
	useStartup    = "set probePV, probeAdvances or startup"
	useAmounts    = "set cpu, memory or devices"
	keepOurs      = "remove it; it is the same for every IOC"
)

// Reserved has the keys below pod and container that the chart sets itself, with
// what to do in their place, by where they are: "pod.securityContext". A test holds
// the library chart's schema to it.
var Reserved = map[string]map[string]string{
	"pod": {
		"containers": useContainers, "initContainers": useContainers, "ephemeralContainers": "remove it",
		"hostNetwork": useNetwork, "dnsPolicy": useNetwork, "enableServiceLinks": keepOurs,
		"automountServiceAccountToken": keepOurs, "restartPolicy": keepOurs,
		"shareProcessNamespace":         "remove it; ioc-run is process 1 of its container",
		"terminationGracePeriodSeconds": "set graceSeconds", "activeDeadlineSeconds": "remove it; an IOC has no end",
		"nodeName": usePlace, "nodeSelector": usePlace, "affinity": usePlace, "tolerations": usePlace,
		"priorityClassName": "set priorityClass", "imagePullSecrets": "write them outside pod",
		"serviceAccountName": "set serviceAccount", "serviceAccount": "write it outside pod",
		"resourceClaims": "write them below devices", "resources": useAmounts,
	},
	"pod.securityContext": {
		"runAsNonRoot": keepOurs, "runAsUser": useUser, "runAsGroup": useUser, "fsGroup": useUser,
		"seccompProfile": keepOurs,
	},
	"container": {
		"name": keepOurs, "image": "set image, outside container", "imagePullPolicy": keepOurs, "command": keepOurs,
		"args": keepOurs, "workingDir": keepOurs, "stdin": keepOurs, "stdinOnce": keepOurs, "tty": keepOurs,
		"startupProbe": useStartup, "livenessProbe": useStartup, "readinessProbe": useStartup,
		"resources": useAmounts, "restartPolicy": keepOurs, "restartPolicyRules": keepOurs,
	},
	"container.securityContext": {
		"privileged": "name the device below devices", "allowPrivilegeEscalation": keepOurs,
		"readOnlyRootFilesystem": keepOurs, "runAsUser": useUser, "runAsGroup": useUser, "runAsNonRoot": keepOurs,
		"seccompProfile": keepOurs,
	},
	"container.securityContext.capabilities": {"drop": keepOurs},
}

// Probes are the keys below container that are the chart's own for an IOC alone: only
// the site knows how a service is asked.
var Probes = []string{"startupProbe", "livenessProbe", "readinessProbe"}

// filled are the places below pod and container of which the chart takes no null. A * is
// each item of a list. Elsewhere a null is what Kubernetes takes it for: nothing is set.
var filled = []string{
	"pod.securityContext", "pod.volumes", "pod.volumes.*", "pod.volumes.*.name",
	"container.securityContext", "container.securityContext.capabilities",
	"container.env", "container.env.*", "container.env.*.name",
}

// checkFilled refuses a null at the place that words lead to from a value.
func (r *reader) checkFilled(doc *strictyaml.Doc, where strictyaml.Path, value any, words []string) {
	if len(words) == 0 {
		if value == nil {
			r.faultAt(doc, where, "give it one, or remove it", "%s: it has no value", dotted(where))
		}
		return
	}
	switch v := value.(type) {
	case []any:
		for i, item := range v {
			r.checkFilled(doc, below(where, i), item, words[1:])
		}
	case map[string]any:
		if inner, ok := v[words[0]]; ok {
			r.checkFilled(doc, below(where, words[0]), inner, words[1:])
		}
	}
}

// checkLongTail checks what a file has below pod and container; foreign is for that of
// a service by image.
func (r *reader) checkLongTail(doc *strictyaml.Doc, where strictyaml.Path, v Values, foreign bool) {
	for _, at := range slices.Sorted(maps.Keys(Reserved)) {
		place := slices.Clone(where)
		for word := range strings.SplitSeq(at, ".") {
			place = append(place, word)
		}
		for _, key := range doc.Keys(place...) {
			probe := foreign && at == "container" && slices.Contains(Probes, key)
			if fix, ours := Reserved[at][key]; ours && !probe {
				r.faultAt(doc, below(place, key), fix, "%s.%s is set by the chart itself", at, key)
			}
		}
	}
	for _, at := range filled {
		words := strings.Split(at, ".")
		part := map[string]map[string]any{"pod": v.Pod, "container": v.Container}[words[0]]
		r.checkFilled(doc, below(where, words[0]), part, words[1:])
	}
	r.checkKnown(doc, below(where, "pod"), v.Pod, corev1.PodSpec{})
	r.checkKnown(doc, below(where, "container"), v.Container, corev1.Container{})
	for i, volume := range items(v.Pod["volumes"]) {
		name, _ := volume["name"].(string)
		named := func(other Volume) bool { return other.Name == name }
		if ownVolume(name) || slices.ContainsFunc(v.Volumes, named) {
			r.faultAt(doc, below(where, "pod", "volumes", i), "choose another name",
				"another volume of the pod is called %q", name)
		}
	}
	for i, mount := range items(v.Container["volumeMounts"]) {
		at, _ := mount["mountPath"].(string)
		r.checkMount(doc, below(where, "container", "volumeMounts", i), at)
	}
	for i, variable := range items(v.Container["env"]) {
		name, _ := variable["name"].(string)
		if _, twice := v.Env[name]; twice || name == "IOC_NAME" || strings.HasPrefix(name, "IOC_RUN_") {
			r.faultAt(doc, below(where, "container", "env", i), "remove it", "%q is set already", name)
		}
	}
}

// items returns the objects of a list.
func items(value any) (all []map[string]any) {
	list, _ := value.([]any)
	for _, item := range list {
		object, _ := item.(map[string]any)
		all = append(all, object)
	}
	return all
}
