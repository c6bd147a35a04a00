package beamline

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// hostLabel is the label by which Tagline puts an IOC on one node.
const hostLabel = corev1.LabelHostname

// checkPlace checks where the IOC runs, and as whom.
func (r *reader) checkPlace(doc *strictyaml.Doc, where strictyaml.Path, v Values) {
	if v.NodeName != "" && v.NodeSelector[hostLabel] != "" {
		r.faultAt(doc, below(where, "nodeName"), "keep one of the two",
			"nodeSelector names a node by %s too", hostLabel)
	}
	r.checkKnown(doc, below(where, "affinity"), v.Affinity, corev1.Affinity{})
	for i, name := range v.ImagePullSecrets {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			r.faultAt(doc, below(where, "imagePullSecrets", i), "write it as kubectl get secrets does",
				"no secret can have the name %q", name)
		}
	}
}

// ownMarks begin the labels and annotations that Tagline, Helm and the chart set.
var ownMarks = []string{"app.kubernetes.io/", "helm.sh/", "meta.helm.sh/", "tagline/", "kubectl.kubernetes.io/"}

// checkMarks checks labels or annotations.
func (r *reader) checkMarks(doc *strictyaml.Doc, where strictyaml.Path, marks map[string]string) {
	what := "label"
	labels := where[len(where)-1] == "labels"
	if !labels {
		what = "annotation"
	}
	for _, key := range doc.Keys(where...) {
		p := below(where, key)
		own := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
		switch {
		case slices.ContainsFunc(ownMarks, own):
			r.faultAt(doc, p, "remove it, or choose another name", "the chart or Helm sets the %s %q", what, key)
		case len(validation.IsQualifiedName(key)) > 0:
			r.faultAt(doc, p, "write it as in example.org/owner", "no %s can have the name %q", what, key)
		case labels && len(validation.IsValidLabelValue(marks[key])) > 0:
			r.faultAt(doc, p, "write at most 63 letters, digits, -, _ and .", "the label %q can't be %q", key,
				marks[key])
		}
	}
}
