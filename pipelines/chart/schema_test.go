package chart

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"
	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// quantity is how Kubernetes writes amounts, as far as an IOC needs it.
const quantity = `^[0-9]+(\.[0-9]+)?(m|[kMGT]|[KMGT]i)?$`

// limits are what the Go types do not say of a value.
var limits = map[string]func(*jsonschema.Schema){
	"image":    func(s *jsonschema.Schema) { s.Pattern = `^[^@\s]+@sha256:[0-9a-f]{64}$` },
	"uid":      func(s *jsonschema.Schema) { s.Default = 1000 },
	"gid":      func(s *jsonschema.Schema) { s.Default = 1000 },
	"cpu":      func(s *jsonschema.Schema) { s.Pattern = quantity },
	"memory":   func(s *jsonschema.Schema) { s.Pattern = quantity },
	"autosave": func(s *jsonschema.Schema) { s.Pattern = quantity },
	"volumes": func(s *jsonschema.Schema) {
		s.Items.OneOf = oneOf("claim", "hostPath", "nfs")
		name, _ := s.Items.Properties.Get("name")
		name.Not = &jsonschema.Schema{Pattern: `^(config|autosave|tmp|opi|device-.*)$`} // the chart's own
		at, _ := s.Items.Properties.Get("mountPath")
		at.Not = &jsonschema.Schema{Pattern: `^/+(epics(/.*)?|tmp|dev|proc|sys|bin|etc|lib|usr)?/*$`}
	},
	"devices": func(s *jsonschema.Schema) { s.Items.OneOf = oneOf("path", "resource", "claim") },
	"labels":  chosen, "annotations": chosen,
	"initContainers": beside, "containers": beside,
	"affinity": func(s *jsonschema.Schema) { *s = described(closed(corev1.Affinity{}), s) },
	"pod": func(s *jsonschema.Schema) {
		pod := open("pod", corev1.PodSpec{})
		pod.Properties.Set("securityContext", open("pod.securityContext", corev1.PodSecurityContext{}))
		pod.Properties.Set("volumes", named(`^(config|autosave|tmp|opi|device-.*)$`))
		*s = described(pod, s)
	},
	"container": func(s *jsonschema.Schema) {
		c := open("container", corev1.Container{})
		security := open("container.securityContext", corev1.SecurityContext{})
		security.Properties.Set("capabilities",
			open("container.securityContext.capabilities", corev1.Capabilities{}))
		c.Properties.Set("securityContext", security)
		c.Properties.Set("env", named(`^IOC_(NAME|RUN_.*)$`))
		for _, probe := range beamline.Probes { // of a service
			c.Properties.Set(probe, jsonschema.TrueSchema)
		}
		*s = described(c, s)
	},
	"env": func(s *jsonschema.Schema) {
		s.PatternProperties = map[string]*jsonschema.Schema{`^[A-Za-z_][A-Za-z0-9_]*$`: {Type: "string"}}
		s.AdditionalProperties = jsonschema.FalseSchema
		s.Properties = jsonschema.NewProperties()
		s.Properties.Set("IOC_NAME", jsonschema.FalseSchema) // the chart sets it
	},
}

// oneOf wants one of some keys.
func oneOf(keys ...string) (all []*jsonschema.Schema) {
	for _, key := range keys {
		all = append(all, &jsonschema.Schema{Required: []string{key}})
	}
	return all
}

// open has the keys of a type of Kubernetes that the chart does not set itself.
func open(where string, kind any) *jsonschema.Schema {
	return closed(kind, slices.Collect(maps.Keys(beamline.Reserved[where]))...)
}

// named is a list of objects whose name is none of the chart's own.
func named(own string) *jsonschema.Schema {
	item := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties()}
	item.Properties.Set("name", &jsonschema.Schema{Type: "string", Not: &jsonschema.Schema{Pattern: own}})
	return &jsonschema.Schema{Type: "array", Items: item}
}

// described gives a schema the description of another.
func described(s, of *jsonschema.Schema) jsonschema.Schema {
	s.Description = of.Description
	return *s
}

// chosen leaves out the labels and annotations that are the chart's own or Helm's.
func chosen(s *jsonschema.Schema) {
	s.PropertyNames = &jsonschema.Schema{Not: &jsonschema.Schema{
		Pattern: `^(app\.kubernetes\.io|(meta\.)?helm\.sh|tagline|kubectl\.kubernetes\.io)/`,
	}}
}

// beside wants containers that have a name, and an image by digest if any, with no
// keys but those of Kubernetes.
func beside(s *jsonschema.Schema) {
	s.Items = closed(corev1.Container{})
	s.Items.Required = []string{"name"}
	own := &jsonschema.Schema{Enum: []any{"ioc", "opi", "opi-copy"}}
	s.Items.Properties.Set("name", &jsonschema.Schema{Type: "string", Not: own})
	s.Items.Properties.Set("image", &jsonschema.Schema{Type: "string", Pattern: `^[^@\s]+@sha256:[0-9a-f]{64}$`})
}

// closed has the keys of a type of Kubernetes and no others; what they hold is for
// Kubernetes to check.
func closed(kind any, without ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema,
	}
	for f := range reflect.TypeOf(kind).Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !slices.Contains(without, key) {
			s.Properties.Set(key, jsonschema.TrueSchema)
		}
	}
	return s
}

// valuesSchema returns the schema of an instance chart's values, from the Go type.
// Helm adds the keys "global" and the library's name to every chart's values,
// and checks the library's own values, which are empty, against the library's
// copy: only who sets something must name an image and a PV. Draft 7 is the
// newest that every Helm 3 reads.
func valuesSchema(t *testing.T) []byte {
	r := jsonschema.Reflector{ExpandedStruct: true, DoNotReference: true, Anonymous: true}
	s := r.Reflect(values{})
	for name, limit := range limits {
		p, ok := s.Properties.Get(name)
		require.True(t, ok, "the values have no %q", name)
		limit(p)
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		require.NotEmpty(t, p.Value.Description, "%s has no description", p.Key)
	}
	s.Version, s.Title = "http://json-schema.org/draft-07/schema#", "Values of an IOC instance's chart"
	s.Properties.Set("global", &jsonschema.Schema{Type: "object", Description: "Helm's own; not used."})
	s.Properties.Set("ioc-lib", &jsonschema.Schema{Type: "object", Description: "Helm's own; not used."})
	s.Required = nil
	// Helm prints what the name of a key can be, beside that this one is none.
	s.PropertyNames = &jsonschema.Schema{}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		s.PropertyNames.Enum = append(s.PropertyNames.Enum, p.Key)
	}
	s.If = &jsonschema.Schema{PropertyNames: &jsonschema.Schema{Const: "global"}}
	s.Else = &jsonschema.Schema{
		If:   &jsonschema.Schema{Required: []string{"service"}},
		Then: without([]string{"image"}, "probePV", "protocol", "probeAdvances", "startup", "start", "autosave", "opi"),
		Else: without([]string{"image", "probePV"}, "command"),
	}
	s.Else.Else.Properties.Set("container", without(nil, beamline.Probes...))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(s))
	return b.Bytes()
}

// without wants some keys, and refuses others.
func without(wanted []string, refused ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Required: wanted, Properties: jsonschema.NewProperties()}
	for _, key := range refused {
		s.Properties.Set(key, jsonschema.FalseSchema)
	}
	return s
}

// The library chart's schema is written with: go test ./pipelines/chart -run Schema -update
func TestSchemaIsThatOfTheGoType(t *testing.T) {
	golden.AssertBytes(t, valuesSchema(t), "../../../charts/ioc-lib/values.schema.json")
}
