package beamline

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// What the library chart's schema takes, which is less than Kubernetes does. A test of
// the charts holds the two together.
var (
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	amount   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(m|[kMGT]|[KMGT]i)?$`)
)

// serverPorts are the variables that say where an IOC serves its PVs: EPICS Base takes
// another port for what is none, and a Service can't have it.
var serverPorts = []string{
	"EPICS_CA_SERVER_PORT", "EPICS_CAS_SERVER_PORT", "EPICS_PVA_SERVER_PORT", "EPICS_PVAS_SERVER_PORT",
}

// port is a number up to 65535.
var port = regexp.MustCompile(
	`^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$`,
)

// checkValues checks the values that a file itself has below where, as the
// Kubernetes API server would only at a promotion. A foreign image has the site's own
// probes.
func (r *reader) checkValues(doc *strictyaml.Doc, where strictyaml.Path, v Values, foreign bool) {
	r.quantity(doc, below(where, "cpu"), v.CPU)
	r.quantity(doc, below(where, "memory"), v.Memory)
	r.quantity(doc, below(where, "autosave"), v.Autosave)
	for _, fault := range v.StartupRules().Check(doc, below(where, "startup")) {
		r.faults.Add(fault)
	}
	for _, name := range doc.Keys(below(where, "env")...) {
		p := below(where, "env", name)
		if !variable.MatchString(name) {
			r.faultAt(
				doc, p, "write it as in EPICS_CA_MAX_ARRAY_BYTES", "%q can't be the name of an environment variable",
				name,
			)
		} else if name == "IOC_NAME" {
			r.faultAt(doc, p, "remove it", "IOC_NAME is the instance's name for every IOC")
		} else if strings.HasPrefix(name, "IOC_RUN_") {
			r.faultAt(
				doc, p, "set probePV, protocol, graceSeconds or startup", "the chart sets %s, for ioc-run", name,
			)
		} else if slices.Contains(serverPorts, name) && v.Env[name] != "" && !port.MatchString(v.Env[name]) {
			r.faultAt(doc, p, "write a number up to 65535, as in 5064", "%s: %q is no port", name, v.Env[name])
		}
	}
	for _, key := range doc.Keys(below(where, "nodeSelector")...) {
		p := below(where, "nodeSelector", key)
		value := v.NodeSelector[key]
		if len(validation.IsQualifiedName(key))+len(validation.IsValidLabelValue(value)) > 0 {
			r.faultAt(doc, p, "write it as kubectl get nodes --show-labels does", "no node can have the label %q",
				key+"="+value)
		}
	}
	for i, t := range v.Tolerations {
		r.checkToleration(doc, below(where, "tolerations", i), t)
	}
	r.checkVolumes(doc, below(where, "volumes"), v.Volumes)
	r.checkDevices(doc, below(where, "devices"), v.Devices)
	r.checkPlace(doc, where, v)
	r.checkMarks(doc, below(where, "labels"), v.Labels)
	r.checkMarks(doc, below(where, "annotations"), v.Annotations)
	r.checkLongTail(doc, where, v, foreign)
	if v.Opi != nil {
		r.checkNoWayUp(doc, below(where, "opi", "mountPath"), v.Opi.MountPath)
	}
	names := map[string]bool{"ioc": true, "opi": true, "opi-copy": true}
	r.checkContainers(doc, below(where, "initContainers"), v.InitContainers, names)
	r.checkContainers(doc, below(where, "containers"), v.Containers, names)
}

// checkToleration holds to the rules of the Kubernetes API.
func (r *reader) checkToleration(doc *strictyaml.Doc, where strictyaml.Path, t Toleration) {
	key := below(where, "key")
	switch {
	case t.Key == "" && t.Operator != "Exists" && (doc.Good(key...) || !doc.Has(key...)):
		r.faultAt(doc, where, "add key, or write operator: Exists to tolerate every taint", "the toleration has no key")
	case t.Operator == "Exists" && t.Value != "":
		r.faultAt(doc, where, "remove value, or write operator: Equal", "operator Exists takes no value")
	case t.Key != "" && len(validation.IsQualifiedName(t.Key)) > 0:
		r.faultAt(doc, where, "write the key as kubectl describe node shows it", "taints have no key %q", t.Key)
	case len(validation.IsValidLabelValue(t.Value)) > 0:
		r.faultAt(doc, where, "write the value as kubectl describe node shows it", "taints have no value %q", t.Value)
	}
}

// leastBytes is less than any IOC or volume has: a smaller amount lacks its unit, or has
// the m of thousandths in place of Mi.
const leastBytes = 64 << 10

// quantity refuses what Kubernetes can't read as an amount, or a chart can't have, and
// bytes without their unit; empty is none.
func (r *reader) quantity(doc *strictyaml.Doc, where strictyaml.Path, s string) {
	if s == "" {
		return
	}
	const fix = "write it as in 100m for cpu, 256Mi for memory and autosave"
	what := where[len(where)-1]
	q, err := resource.ParseQuantity(s)
	switch {
	case err != nil || q.Sign() <= 0:
		r.faultAt(doc, where, fix, "%s: %q is not an amount that Kubernetes reads", what, s)
	case !amount.MatchString(s):
		r.faultAt(doc, where, fix, "%s: %q is an amount that the chart does not take", what, s)
	case what != "cpu" && q.CmpInt64(leastBytes) < 0:
		r.faultAt(doc, where, fix, "%s: %q is an amount of %d bytes", what, s, q.Value())
	}
}

// checkProbe wants another probe PV for each instance.
func (r *reader) checkProbe(inst *Instance, doc *strictyaml.Doc) {
	pv := inst.Values.ProbePV
	if pv == "" {
		return // the schema asks for it
	}
	if other := r.probes[pv]; other != nil {
		r.faultAt(
			doc, strictyaml.Path{"probePV"}, "name a PV that only this IOC serves", "%s is the probe PV of %s too",
			pv, other.Name,
		)
		return
	}
	r.probes[pv] = inst
}

// below returns path with more keys after it.
func below(where strictyaml.Path, more ...any) strictyaml.Path {
	return append(slices.Clone(where), more...)
}
