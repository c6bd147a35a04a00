package chart

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// valueFaults are what a schema finds wrong with values: "/memory: …".
type valueFaults []string

// Error returns all of them, a line each.
func (f valueFaults) Error() string { return strings.Join(f, "\n") }

// schemas are those compiled already, by their text: in practice the library
// chart's. Helm compiles with the same library, and takes longer for it than
// for all the rest.
var schemas sync.Map

// printer words the faults.
var printer = message.NewPrinter(language.English)

// checkValues checks values as Helm will when it installs the chart. What the
// schema refuses is a valueFaults.
func checkValues(schema []byte, values map[string]any) error {
	if len(schema) == 0 {
		return nil // a service brings one, or none
	}
	compiled, err := compile(schema)
	if err != nil {
		return fmt.Errorf("reading %s: %w", schemaFile, err)
	}
	var wrong *jsonschema.ValidationError
	if err := compiled.Validate(values); !errors.As(err, &wrong) {
		return err
	}
	return leaves(wrong)
}

func compile(schema []byte) (*jsonschema.Schema, error) {
	if known, ok := schemas.Load(string(schema)); ok {
		return known.(*jsonschema.Schema), nil
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, doc); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaFile)
	if err == nil {
		schemas.Store(string(schema), compiled)
	}
	return compiled, err
}

// leaves returns the causes that have no causes themselves.
func leaves(e *jsonschema.ValidationError) (f valueFaults) {
	for _, cause := range e.Causes {
		f = append(f, leaves(cause)...)
	}
	if len(e.Causes) == 0 {
		f = append(f, "/"+strings.Join(e.InstanceLocation, "/")+": "+e.ErrorKind.LocalizedString(printer))
	}
	return f
}
