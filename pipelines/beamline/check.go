package beamline

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// checkValues checks the values that a file itself has below at, as the
// Kubernetes API server would only at a promotion.
func (r *reader) checkValues(doc *strictyaml.Doc, at strictyaml.Path, v Values) {
	r.quantity(doc, below(at, "cpu"), v.CPU)
	r.quantity(doc, below(at, "memory"), v.Memory)
	r.quantity(doc, below(at, "autosave"), v.Autosave)
	for _, name := range doc.Keys(below(at, "env")...) {
		p := below(at, "env", name)
		if problems := validation.IsEnvVarName(name); len(problems) > 0 {
			r.say(doc, p, "write it as in EPICS_CA_MAX_ARRAY_BYTES", "%q can't be the name of an environment variable", name)
		} else if name == "IOC_NAME" {
			r.say(doc, p, "remove it", "IOC_NAME is the instance's name for every IOC")
		}
	}
	for _, key := range doc.Keys(below(at, "nodeSelector")...) {
		p := below(at, "nodeSelector", key)
		value := v.NodeSelector[key]
		if len(validation.IsQualifiedName(key))+len(validation.IsValidLabelValue(value)) > 0 {
			r.say(doc, p, "write it as kubectl get nodes --show-labels does", "no node can have the label %q", key+"="+value)
		}
	}
	for i, t := range v.Tolerations {
		r.checkToleration(doc, below(at, "tolerations", i), t)
	}
}

// checkToleration holds to the rules of the Kubernetes API.
func (r *reader) checkToleration(doc *strictyaml.Doc, at strictyaml.Path, t Toleration) {
	switch {
	case t.Key == "" && t.Operator != "Exists" && !doc.Has(below(at, "key")...):
		r.say(doc, at, "add key, or write operator: Exists to tolerate every taint", "a toleration of no key")
	case t.Operator == "Exists" && t.Value != "":
		r.say(doc, at, "remove value, or write operator: Equal", "operator Exists takes no value")
	case t.Key != "" && len(validation.IsQualifiedName(t.Key)) > 0:
		r.say(doc, at, "write the key as kubectl describe node shows it", "taints have no key %q", t.Key)
	}
}

// quantity refuses what Kubernetes can't read as an amount; empty is none.
func (r *reader) quantity(doc *strictyaml.Doc, at strictyaml.Path, s string) {
	if s == "" {
		return
	}
	q, err := resource.ParseQuantity(s)
	if err != nil || q.Sign() <= 0 {
		r.say(doc, at, "write it as in 100m for cpu, 256Mi for memory and autosave", "%s: %q is not an amount that Kubernetes reads", at[len(at)-1], s)
	}
}

// checkProbe wants another probe PV for each instance.
func (r *reader) checkProbe(inst *Instance, doc *strictyaml.Doc) {
	pv := inst.Values.ProbePV
	if pv == "" {
		return // the schema asks for it
	}
	if other := r.probes[pv]; other != nil {
		r.say(doc, strictyaml.Path{"probePV"}, "name a PV that only this IOC serves", "%s is the probe PV of %s too", pv, other.Name)
		return
	}
	r.probes[pv] = inst
}

// below gives the path of a piece below another.
func below(at strictyaml.Path, more ...any) strictyaml.Path {
	return append(slices.Clone(at), more...)
}
