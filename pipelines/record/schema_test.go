package record

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/invopop/jsonschema"
	check "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// schema returns the JSON schema of a record, from the Go type and its comments.
func schema(t *testing.T) []byte {
	r := jsonschema.Reflector{ExpandedStruct: true, Anonymous: true, Mapper: func(of reflect.Type) *jsonschema.Schema {
		if of == reflect.TypeFor[asset.Kind]() {
			return &jsonschema.Schema{Type: "string", Enum: []any{asset.Image, asset.Library, asset.Beamline}}
		}
		if of.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return &jsonschema.Schema{Type: "string"}
		}
		return nil
	}}
	require.NoError(t, r.AddGoComments("github.com/tagline-ci/tagline/pipelines/record", "."))
	s := r.Reflect(&Record{})
	s.Title = "Record of a release"
	s.Properties.Value("schema").Const = Schema
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(s))
	return b.Bytes()
}

// The published schema is written with: go test ./pipelines/record -run Schema -update
func TestPublishedSchemaIsThatOfTheGoType(t *testing.T) {
	golden.AssertBytes(t, schema(t), "../../../docs/schemas/record.schema.json")
}

func TestRecordsAreOfTheSchema(t *testing.T) {
	doc, err := check.UnmarshalJSON(bytes.NewReader(schema(t)))
	require.NoError(t, err)
	c := check.NewCompiler()
	require.NoError(t, c.AddResource("record.schema.json", doc))
	compiled, err := c.Compile("record.schema.json")
	require.NoError(t, err)
	b, err := Encode(released())
	require.NoError(t, err)
	r, err := check.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	require.NoError(t, compiled.Validate(r))
	r.(map[string]any)["more"] = true
	require.Error(t, compiled.Validate(r))
}
