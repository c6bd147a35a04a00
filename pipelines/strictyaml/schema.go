// Package strictyaml reads people's YAML into Go structs and refuses what does
// not fit: unknown and duplicate keys, wrong types, missing keys and bad
// values, all of them at once, each with its line and the mend. What fits is
// said by a JSON schema made from the struct, which is the one that editors use.
package strictyaml

import (
	"bytes"
	"encoding/json"
	"fmt"

	reflected "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema says what one kind of file may hold: what the struct T has fields
// for. It is safe for concurrent use.
type Schema[T any] struct {
	json     []byte         // as published
	document map[string]any // the same, to look keys and examples up in
	compiled *jsonschema.Schema
}

// New makes the schema of files that hold a T; title names such a file in an
// editor. Keys are T's json names; a field without omitempty is required; what
// else a field must be is said by its jsonschema tags, or by a JSONSchema
// method of its type. It panics where T has no schema, which is a fault of the
// program.
func New[T any](title, description string) *Schema[T] {
	r := reflected.Reflector{ExpandedStruct: true, DoNotReference: true, Anonymous: true}
	s := r.Reflect(new(T))
	s.Title, s.Description = title, description
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err)
	}
	for _, c := range []string{"<", ">", "&"} { // which are escaped for the sake of HTML
		text = bytes.ReplaceAll(text, fmt.Appendf(nil, `\u%04x`, c[0]), []byte(c))
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		panic(err)
	}
	return &Schema[T]{
		json: append(text, '\n'), document: document.(map[string]any), compiled: c.MustCompile("schema.json"),
	}
}

// JSON returns the schema as it is published for editors: indented, with a final
// newline, the same bytes each time.
func (s *Schema[T]) JSON() []byte { return bytes.Clone(s.json) }

// Text is the schema of text that must match pattern (a regular expression
// that Go and ECMAScript read alike). title names such a text in a message
// ("Debian package name"); example is one that matches.
func Text(title, pattern, example string) *reflected.Schema {
	return &reflected.Schema{Type: "string", Title: title, Pattern: pattern, Examples: []any{example}}
}
