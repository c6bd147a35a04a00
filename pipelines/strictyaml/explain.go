package strictyaml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// explain reports the leaves of a validation error and takes what they are
// about out of the file's nodes.
func (s *Schema[T]) explain(b *builder, root *node, v *jsonschema.ValidationError) {
	_, names := v.ErrorKind.(*kind.PropertyNames)
	if len(v.Causes) > 0 && !names {
		for _, c := range v.Causes {
			s.explain(b, root, c)
		}
		return
	}
	f := &finding{builder: b, at: v.InstanceLocation, rule: lookup(s.document, v.SchemaURL)}
	f.name = named(v.InstanceLocation)
	if f.node = locate(root, v.InstanceLocation); f.node == nil || f.node.bad {
		return // it is part of something already reported
	}
	f.report(v)
}

// finding is one rule of the schema that one piece of the file breaks.
type finding struct {
	*builder
	at   []string // where the piece is
	name string   // the same for people: "smoke.checks.pv: ", empty at the top
	node *node
	rule map[string]any // the part of the schema
}

// report says what is wrong and how to mend it.
func (f *finding) report(v *jsonschema.ValidationError) {
	n, line := f.node, f.node.line
	switch k := v.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		f.unknown(k.Properties)
	case *kind.Required:
		f.missing(k.Missing)
	case *kind.Type:
		f.wrongType(k.Want)
		n.drop()
	case *kind.Enum:
		f.notOne(k.Want)
		n.drop()
	case *kind.Pattern, *kind.Format:
		f.fault(line, f.like(), "%s%s is not a legal %s", f.name, quoted(n.text), f.noun())
	case *kind.PropertyNames:
		if key := n.by[k.Property]; key != nil {
			f.fault(key.line, f.like(), "%s%s is not a legal %s", f.name, quoted(k.Property), f.noun())
		}
	case *kind.MinLength, *kind.MinItems, *kind.MinProperties:
		f.fault(line, "give it a value, or remove the key", "%sit is empty", f.name)
	case *kind.UniqueItems:
		twice := n.items[k.Duplicates[1]]
		f.fault(twice.line, "remove one", "%s%s is there twice", f.name, quoted(twice.text))
	default:
		f.fault(line, f.like(), "%s%s", f.name, v.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
}

// unknown reports keys that the schema doesn't have.
func (f *finding) unknown(keys []string) {
	known := slices.Sorted(properties(f.rule))
	for _, key := range keys {
		n := f.node.by[key]
		if n == nil {
			continue
		}
		fix := "remove it; the keys here are " + strings.Join(known, ", ")
		if near := Near(key, known); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
		f.fault(n.line, fix, "%sunknown key %s", f.name, quoted(key))
		delete(f.node.by, key)
		f.node.keys = slices.DeleteFunc(f.node.keys, func(k string) bool { return k == key })
	}
}

// missing reports keys that must be there.
func (f *finding) missing(keys []string) {
	for _, key := range keys {
		rule, _ := child(f.rule, "properties", key)
		fix := "add it"
		if d, ok := rule["description"].(string); ok {
			fix += ": " + d
		}
		if e := example(rule); e != "" {
			fix += fmt.Sprintf(" (%s: %s)", key, e)
		}
		f.fault(f.node.line, fix, "%sthe key %q is missing", f.name, key)
	}
}

// wrongType reports a value of another type than the one wanted.
func (f *finding) wrongType(want []string) {
	n := f.node
	if n.by == nil && n.items == nil && n.value == nil {
		f.fault(n.line, "give it one, or remove the key", "%sit has no value", f.name)
		return
	}
	wanted, fix := "a value of another type", "see the schema of this file"
	switch want[0] {
	case "string":
		wanted, fix = "text", "write text"
		if n.by == nil && n.items == nil {
			fix = "put it in quotes: " + strconv.Quote(n.text)
		}
	case "array":
		wanted, fix = "a list", "write it as a list"
		if n.by == nil {
			fix += ": [" + n.text + "]"
		}
	case "object":
		wanted, fix = "keys with values", `write it as "key: value" lines`
	case "integer":
		wanted, fix = "a whole number", "write digits, without quotes or unit"
	case "number":
		wanted, fix = "a number", "write digits, without quotes or unit"
	case "boolean":
		wanted, fix = "true or false", "write true or false"
	}
	f.fault(n.line, fix, "%s%s where %s belongs", f.name, what(n), wanted)
}

// notOne reports a value that is none of those allowed.
func (f *finding) notOne(want []any) {
	words := make([]string, len(want))
	for i, w := range want {
		words[i] = fmt.Sprint(w)
	}
	fix := "write " + strings.Join(words, " or ")
	if near := Near(f.node.text, words); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	f.fault(f.node.line, fix, "%s%s is none of %s", f.name, quoted(f.node.text), strings.Join(words, ", "))
}

// like is the mend that shows what a value looks like.
func (f *finding) like() string {
	if e := example(f.rule); e != "" {
		return "write it as in " + e
	}
	return "see the schema of this file"
}

// noun is what the schema calls the value.
func (f *finding) noun() string {
	if t, ok := f.rule["title"].(string); ok {
		return t
	}
	return "value"
}
