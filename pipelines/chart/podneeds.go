package chart

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// containers returns all containers of a pod's spec, nil where a value is none.
func containers(spec map[string]any) (all []map[string]any) {
	for _, key := range []string{"containers", "initContainers", "ephemeralContainers"} {
		for _, c := range list(spec[key]) {
			if c := fields(c); c != nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// pod looks at what a pod gets where its spec is silent, and at what it mounts.
func (n needs) pod(spec map[string]any) {
	if spec["automountServiceAccountToken"] != false {
		n.add("service account token")
	}
	all := fields(spec["securityContext"])
	for _, c := range containers(spec) {
		own := fields(c["securityContext"])
		user := first(own["runAsUser"], all["runAsUser"])
		if isZero(user) || user == nil && first(own["runAsNonRoot"], all["runAsNonRoot"]) != true {
			n.add("root") // or whatever user the image has
		}
		if own["allowPrivilegeEscalation"] != false {
			n.add("privilege escalation")
		}
		if image := fmt.Sprint(c["image"]); image != n.image {
			n.add("image %s", image)
		}
		for _, port := range list(c["ports"]) { // which takes what comes to the node there, from its own programs too
			host := fields(port)["hostPort"]
			n.when(host != nil && !isZero(host) && spec["hostNetwork"] != true, "host port %v", host)
		}
	}
	for _, v := range list(spec["volumes"]) {
		n.volume(fields(v))
	}
}

// appArmor begins the annotations by which Kubernetes before 1.30 confines containers.
const appArmor = "container.apparmor.security.beta.kubernetes.io/"

// cdi begins the annotations by which a container runtime gives devices to a pod.
const cdi = "cdi.k8s.io/"

// mounted are the volumes that an IOC may have. A projected one is looked at inside.
var mounted = []string{"name", "configMap", "emptyDir", "persistentVolumeClaim", "downwardAPI", "projected"}

// volume looks at where a volume is from.
func (n needs) volume(v map[string]any) {
	for from := range v {
		switch source := fields(v[from]); {
		case from == "hostPath":
			n.add("host path %v", source["path"])
		case from == "secret":
			n.add("secret %v", source["secretName"])
		case !slices.Contains(mounted, from):
			n.add("volume %s", from)
		}
	}
	for _, source := range list(fields(v["projected"])["sources"]) {
		for from, inner := range fields(source) {
			switch from {
			case "secret":
				n.add("secret %v", fields(inner)["name"])
			case "configMap", "downwardAPI":
			case "serviceAccountToken":
				n.add("service account token")
			default:
				n.add("volume %s", from)
			}
		}
	}
}

// anywhere looks at a field whose name means the same wherever it is.
func (n needs) anywhere(key string, field any) {
	on := field != nil && field != false && field != ""
	switch key {
	case "privileged":
		n.when(on, "privileged")
	case "hostPID":
		n.when(on, "host processes")
	case "hostIPC":
		n.when(on, "host memory")
	case "runAsGroup", "fsGroup":
		n.when(isZero(field), "root group")
	case "supplementalGroups":
		n.when(slices.ContainsFunc(list(field), isZero), "root group")
	case "serviceAccountName", "serviceAccount":
		n.when(on && field != "default", "service account %v", field)
	case "capabilities":
		for _, c := range list(fields(field)["add"]) {
			n.add("capability %v", c)
		}
	case "seccompProfile", "appArmorProfile":
		n.when(fields(field)["type"] == "Unconfined", "unconfined")
		n.when(fields(field)["type"] == "Localhost", "profile %v", fields(field)["localhostProfile"])
	case "runtimeClassName": // which may confine its containers less than the node's own
		n.when(on, "runtime class %v", field)
	case "priorityClassName":
		n.when(strings.HasPrefix(fmt.Sprint(field), "system-"), "priority class %v", field)
	case "hostProcess": // as Windows calls it
		n.when(on, "privileged")
	case "externalIPs": // by which a Service takes what others in the cluster send there
		for _, ip := range list(field) {
			n.add("external IP %v", ip)
		}
	case "procMount":
		n.when(on && field != "Default", "host kernel files")
	case "seLinuxOptions":
		n.when(on, "SELinux options")
	case "sysctls":
		for _, s := range list(field) {
			n.add("sysctl %v", fields(s)["name"])
		}
	case "limits", "requests":
		for name := range fields(field) {
			n.when(strings.Contains(name, "/"), "resource %s", name) // one that a device plugin hands out
		}
	case "resourceClaims":
		for _, c := range list(field) {
			n.add("resource claim %v", first(fields(c)["resourceClaimName"], fields(c)["resourceClaimTemplateName"]))
		}
	case "secretKeyRef", "secretRef":
		n.when(fields(field) != nil, "secret %v", fields(field)["name"])
	default:
		profile, given := strings.CutPrefix(fmt.Sprint(field), "localhost/")
		n.when(strings.HasPrefix(key, appArmor) && field == "unconfined", "unconfined")
		n.when(strings.HasPrefix(key, appArmor) && given, "profile %s", profile)
		n.when(strings.HasPrefix(key, cdi), "device %v", field)
	}
}

func (n needs) when(so bool, format string, args ...any) {
	if so {
		n.add(format, args...)
	}
}

// isZero reports whether a value is the number of root, however it is written: Kubernetes
// reads -0 as 0.
func isZero(value any) bool {
	number, err := strconv.ParseFloat(fmt.Sprint(value), 64)
	return err == nil && number == 0
}
