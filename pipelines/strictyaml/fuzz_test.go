package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Whatever the text is: the reader comes back, and what it refuses it refuses
// with a line of the file, on one line, with a mend.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		good, "", "a: &x [*x]\n", "name: [[[[", "{name: x, size: 010}", "? {a: b}\n: c\n", "name: !!binary x",
		"- - - -",
		"%YAML 1.3\n---\nname: x\n...\n---\n", "name: |\n  a\n  b\n", "\"a\\nb\": {\"c\\u0000\": \"d\\x1b\"}",
		"<<: *a", "x: \xff", "\ufeffname: x",
		"name: 'a''b'\ntags: {a: 1, a: 2}\n" +
			"parts: [{weight: 1e400}, {weight: .nan}, ~, {}]\n", "name: a\r\nsize: 1\r", "\t", ":", "a:\n  - b\n c",
	} {
		f.Add([]byte(s))
	}
	schema := strictyaml.New[thing]("Thing", "A thing.")
	f.Fuzz(func(t *testing.T, data []byte) {
		value, doc, err := schema.Read("thing.yaml", data)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		for _, e := range diag.All(err) {
			var fault *diag.Error
			require.True(t, errors.As(e, &fault))
			assert.Equal(t, diag.Invalid, fault.Kind)
			assert.Equal(t, "thing.yaml", fault.File)
			assert.NotEmpty(t, fault.Fix)
			assert.LessOrEqual(t, fault.Line, lines)
			assert.Equal(t, -1, strings.IndexFunc(fault.Error(), unicode.IsControl), "control character in %q", fault)
			assert.Less(t, len(fault.Error()), 1000)
		}
		assert.Equal(t, value == nil, doc == nil)
		if err == nil {
			assert.NotEmpty(t, value.Name)
			assert.Positive(t, doc.Line("name"))
		}
	})
}
