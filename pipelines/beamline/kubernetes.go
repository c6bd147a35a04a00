package beamline

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// byDigest matches an image that cannot become another.
var byDigest = regexp.MustCompile(`^[^@\s]+@sha256:[0-9a-f]{64}$`)

// checkContainers checks the containers of a pod beside the IOC's. names are those
// that are taken.
func (r *reader) checkContainers(
	doc *strictyaml.Doc, where strictyaml.Path, all []map[string]any, names map[string]bool,
) {
	for i, c := range all {
		p := below(where, i)
		r.checkKnown(doc, p, c, corev1.Container{})
		name, _ := c["name"].(string)
		switch {
		case len(validation.IsDNS1123Label(name)) > 0:
			r.faultAt(doc, p, "add name: as in archiver", "%q can't be the name of a container", name)
		case names[name]:
			r.faultAt(doc, below(p, "name"), "choose another name", "another container of the pod is called %q", name)
		}
		names[name] = true
		if c["image"] == nil && c["command"] == nil {
			r.faultAt(doc, p, "add the command that it runs", "it would start the IOC a second time")
		}
		given, written := c["image"]
		image, text := given.(string)
		if written && (text || given == nil) && !byDigest.MatchString(image) {
			r.faultAt(doc, below(p, "image"), "write it as host/path@sha256:…, or leave it out for the IOC's own",
				"the image %q is not named by digest, and can become another", image)
		}
	}
}

// checkKnown checks a part of a file against Kubernetes' own type for it: its keys,
// however deep, and what they hold.
func (r *reader) checkKnown(doc *strictyaml.Doc, where strictyaml.Path, part map[string]any, kind any) {
	if part == nil {
		return
	}
	before := len(r.faults)
	r.checkKeys(doc, where, part, reflect.TypeOf(kind))
	if len(r.faults) > before {
		return
	}
	text, err := json.Marshal(part)
	if err == nil {
		err = json.Unmarshal(text, reflect.New(reflect.TypeOf(kind)).Interface())
	}
	if err != nil {
		r.faultAt(doc, where, "write it as Kubernetes documents it", "Kubernetes can't read it as a %s: %w",
			reflect.TypeOf(kind).Name(), err)
	}
}

// checkKeys looks for keys that Kubernetes does not know in a value of a type.
func (r *reader) checkKeys(doc *strictyaml.Doc, where strictyaml.Path, value any, kind reflect.Type) {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	switch v := value.(type) {
	case []any:
		if kind.Kind() == reflect.Slice {
			for i, item := range v {
				r.checkKeys(doc, below(where, i), item, kind.Elem())
			}
		}
	case map[string]any:
		if kind.Kind() != reflect.Struct || reflect.PointerTo(kind).Implements(marshaler) {
			return
		}
		known := keysOf(kind)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if field, ok := known[key]; ok {
				r.checkKeys(doc, below(where, key), v[key], field)
				continue
			}
			fix := "write it as Kubernetes documents it"
			if near := strictyaml.Near(key, slices.Sorted(maps.Keys(known))); near != "" {
				fix = fmt.Sprintf("did you mean %q?", near)
			}
			r.faultAt(doc, below(where, key), fix, "%s: unknown key %q", dotted(where), key)
		}
	}
}

// marshaler is what types have that are written as text, as quantities.
var marshaler = reflect.TypeFor[json.Marshaler]()

// keysOf returns the types of a struct's fields by the key that people write.
func keysOf(kind reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for i := range kind.NumField() {
		f := kind.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "" { // an embedded one: its fields are this one's
			maps.Copy(all, keysOf(f.Type))
			continue
		}
		all[key] = f.Type
	}
	return all
}

// dotted writes a path as people read it: "containers.0.env".
func dotted(where strictyaml.Path) string {
	words := make([]string, len(where))
	for i, w := range where {
		words[i] = fmt.Sprint(w)
	}
	return strings.Join(words, ".")
}
