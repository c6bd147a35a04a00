// Package schemas_test keeps the files that people edit and the schemas that
// are published for them together.
package schemas_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// named finds the schema that a file names for editors.
var named = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(\S+)$`)

// Every file of this repository that a schema is for names it, and the path
// leads there.
func TestNamedInFiles(t *testing.T) {
	seen := 0
	for _, dir := range []string{"generic-iocs", "beamlines"} {
		tree := os.DirFS("../..")
		require.NoError(t, fs.WalkDir(tree, dir, func(file string, d fs.DirEntry, err error) error {
			want := schemaOf(file)
			if err != nil || d.IsDir() || want == "" {
				return err
			}
			seen++
			text, err := fs.ReadFile(tree, file)
			if err != nil {
				return err
			}
			if m := named.FindSubmatch(text); assert.NotNil(t, m, "%s names no schema", file) {
				assert.Equal(t, "docs/schemas/"+want, path.Join(path.Dir(file), string(m[1])), file)
			}
			return nil
		}))
	}
	assert.NotZero(t, seen)
}

// schemaOf returns the schema that a file is read by; empty when it has none.
func schemaOf(file string) string {
	switch base := path.Base(file); {
	case path.Dir(file) == "generic-iocs/support" && strings.HasSuffix(base, ".yaml"):
		return "module.schema.json"
	case base == "image.yaml" && path.Dir(path.Dir(file)) == "generic-iocs":
		return "image.schema.json"
	case base == "beamline.yaml" && path.Dir(path.Dir(file)) == "beamlines":
		return "beamline.schema.json"
	case base == "values.yaml" && path.Base(path.Dir(path.Dir(file))) == "iocs":
		return "instance.schema.json"
	}
	return ""
}
