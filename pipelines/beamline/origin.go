package beamline

import (
	"encoding/json"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Value is one value of an instance, and where it was written.
type Value struct {
	Key   string `json:"key"`   // as people write it; of env and other maps with the key in it: "env.SITE"
	Value any    `json:"value"` // as JSON has it: text, a number, true or false, a list, or a map
	// File, from the root, and Line are where it was written. Both are empty for a default.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Text returns the value in one line: text as it is, anything else as JSON.
func (v Value) Text() (string, error) {
	if text, ok := v.Value.(string); ok && text != "" {
		return text, nil
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v.Value)
	return strings.TrimSpace(b.String()), err
}

// Origins returns the values of an instance with the place where each was written:
// in the file of the instance, in that of its beamline, or nowhere, for a default. The
// image, or what a service is, is the first. fsys is the tree that b was read from.
func (b *Beamline) Origins(fsys fs.FS, inst *Instance) ([]Value, error) {
	own, err := document(fsys, instanceSchema(), inst.File)
	if err != nil {
		return nil, err
	}
	shared, err := document(fsys, beamlineSchema(), b.File)
	if err != nil {
		return nil, err
	}
	return origins{inst, b, own, shared}.values(), nil
}

// document reads a file for the lines of its keys.
func document[T any](fsys fs.FS, schema *strictyaml.Schema[T], file string) (*strictyaml.Doc, error) {
	text, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	_, doc, err := schema.Read(file, text)
	return doc, err
}

// origins are the two files that the values of an instance are from.
type origins struct {
	inst        *Instance
	bl          *Beamline
	own, shared *strictyaml.Doc // shared is nil where beamline.yaml can't be read
}

// place returns where the piece of the instance's values at path was written; an
// empty file where it was not.
func (o origins) place(path ...any) (file string, line int) {
	if o.own.Has(path...) {
		return o.inst.File, o.own.Line(path...)
	}
	path = append([]any{"values"}, path...)
	if o.shared != nil && o.shared.Has(path...) {
		return o.bl.File, o.shared.Line(path...)
	}
	return "", 0
}

// values returns what Origins does.
func (o origins) values() []Value {
	key, what := "image", o.inst.Image.String()
	if o.inst.Service != "" {
		key, what = "service", o.inst.Service
	}
	file, line := o.place(key)
	all := []Value{{key, what, file, line}}
	if is := o.inst.Foreign; is != nil {
		file, line := o.place("image")
		all = append(all, Value{"image", string(is.Image), file, line})
		if file, line := o.place("command"); file != "" {
			all = append(all, Value{"command", is.Command, file, line})
		}
	}
	set := o.inst.Values.Fields()
	for key, field := range o.inst.Values.byKey() {
		if o.inst.Foreign != nil && slices.Contains(ofIOCs, key) {
			continue
		}
		file, line := o.place(key)
		value, isSet := set[key]
		parts, isMap := value.(map[string]any)
		usual, hasDefault := defaults[key]
		switch {
		case isMap: // which is merged key by key
			for _, part := range slices.Sorted(maps.Keys(parts)) {
				file, line := o.place(key, part)
				all = append(all, Value{key + "." + part, parts[part], file, line})
			}
		case isSet:
			all = append(all, Value{key, value, file, line})
		case file != "": // written to be empty
			all = append(all, Value{key, empty(field), file, line})
		case hasDefault:
			all = append(all, Value{Key: key, Value: usual})
		}
	}
	return all
}

// empty returns what a value holds that was written to be empty.
func empty(field reflect.Value) any {
	switch field.Kind() {
	case reflect.Slice:
		return []any{}
	case reflect.Map, reflect.Pointer:
		return map[string]any{}
	}
	return field.Interface()
}
