package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// explain reports the leaves of a validation error, in the order of the file,
// and takes what they are about out of the file's nodes.
func (s *Schema[T]) explain(b *builder, root *node, v *jsonschema.ValidationError) {
	findings := s.findings(b, root, v)
	slices.SortStableFunc(findings, func(a, b *finding) int {
		return cmp.Or(
			cmp.Compare(a.node.line, b.node.line), cmp.Compare(a.name, b.name),
			cmp.Compare(fmt.Sprintf("%T", a.kind), fmt.Sprintf("%T", b.kind)),
		)
	})
	for _, f := range findings {
		if !f.node.bad {
			f.report()
		}
	}
}

// findings returns the leaves of a validation error, without those that are about
// a part already reported.
func (s *Schema[T]) findings(b *builder, root *node, v *jsonschema.ValidationError) []*finding {
	_, names := v.ErrorKind.(*kind.PropertyNames)
	if len(v.Causes) > 0 && !names {
		var all []*finding
		for _, c := range v.Causes {
			all = append(all, s.findings(b, root, c)...)
		}
		return all
	}
	n := locate(root, v.InstanceLocation)
	if n == nil || n.bad {
		return nil
	}
	return []*finding{{
		builder: b, name: named(v.InstanceLocation), node: n, rule: lookup(s.document, v.SchemaURL), kind: v.ErrorKind,
	}}
}

// finding is one rule of the schema that one piece of the file breaks.
type finding struct {
	*builder
	name string // where the piece is, for people: "smoke.checks.pv: ", empty at the top
	node *node
	rule map[string]any // the part of the schema
	kind jsonschema.ErrorKind
}

// report says what is wrong and how to mend it.
func (f *finding) report() {
	n, line := f.node, f.node.line
	switch k := f.kind.(type) {
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
	case *kind.MinLength:
		if k.Got == 0 {
			f.fault(line, f.like(), "%sit is empty", f.name)
			return
		}
		f.fault(line, f.like(), "%s%s has %d of %d letters at least", f.name, quoted(n.text), k.Got, k.Want)
	case *kind.MinItems:
		f.fault(line, "add one at least", "%sthe list is empty", f.name)
	case *kind.Minimum:
		f.fault(
			line, "write "+k.Want.RatString()+" or more", "%s%s is less than %s", f.name, clipped(n.text),
			k.Want.RatString(),
		)
	case *kind.ExclusiveMinimum:
		f.fault(
			line, "write more than "+k.Want.RatString(), "%s%s is not more than %s", f.name, clipped(n.text),
			k.Want.RatString(),
		)
	case *kind.Maximum:
		f.fault(
			line, "write "+k.Want.RatString()+" or less", "%s%s is more than %s", f.name, clipped(n.text),
			k.Want.RatString(),
		)
	case *kind.UniqueItems:
		twice := n.items[k.Duplicates[1]]
		f.fault(twice.line, "remove one", "%s%s is there twice", f.name, quoted(twice.text))
	default:
		f.fault(line, f.like(), "%s%s", f.name, f.kind.LocalizedString(message.NewPrinter(language.English)))
	}
}

// unknown reports keys that the schema doesn't have.
func (f *finding) unknown(keys []string) {
	known := slices.Sorted(properties(f.rule))
	f.node.meant = map[string]bool{}
	for _, key := range keys {
		n := f.node.by[key]
		if n == nil {
			continue
		}
		fix := "remove it; the keys here are " + strings.Join(known, ", ")
		if near := Near(key, known); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
			f.node.meant[near] = true
		}
		f.fault(n.line, fix, "%sunknown key %s", f.name, quoted(key))
		delete(f.node.by, key)
		f.node.keys = slices.DeleteFunc(f.node.keys, func(k string) bool { return k == key })
	}
}

// missing reports keys that must be there, but not those that were misspelled:
// that was reported already.
func (f *finding) missing(keys []string) {
	for _, key := range keys {
		if f.node.meant[key] {
			continue
		}
		rule, _ := child(f.rule, "properties", key)
		fix := "add " + key
		if e := example(rule); e != "" {
			fix = fmt.Sprintf("add %s: %s", key, e)
		}
		if d := gist(rule); d != "" {
			fix += " (" + d + ")"
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
	wanted, fix := "a value of another type belongs", "see the schema of this file"
	switch want[0] {
	case "string":
		wanted, fix = "text belongs", "write text"
		if n.by == nil && n.items == nil {
			fix = "put it in quotes: " + quoted(n.text)
		}
		if n.by != nil { // between braces, the reader takes PV:NAME for a key
			fix += ", in quotes if it has a colon"
		}
	case "array":
		wanted, fix = "a list belongs", "write it as a list"
		if n.by == nil {
			fix += ": [" + clipped(n.text) + "]"
		}
	case "object":
		wanted, fix = "keys with values belong", `write it as "key: value" lines`
	case "integer":
		wanted, fix = "a whole number belongs", "write digits, without quotes or unit"
	case "number":
		wanted, fix = "a number belongs", "write digits, without quotes or unit"
	case "boolean":
		wanted, fix = "true or false belongs", "write true or false"
	}
	f.fault(n.line, fix, "%s%s where %s", f.name, what(n), wanted)
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
