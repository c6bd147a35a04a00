package newmodule

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Whatever a library or a folder is called, its recipe is read as it is.
func TestTextIsReadAsWritten(t *testing.T) {
	for _, name := range []string{
		"yes", "No", "on", "null", "Y", "true", "1e3", "1.5", "0x10", "010", "7.0.8.1", "x-1", "a.b", "_.5", "_1",
	} {
		r := described(t, nil, Given{})
		r.Libs, r.Files, r.Submodules = facts([]string{name}), facts([]string{name}), facts([]string{name})
		readable(t, r)
	}
	for _, path := range []string{".5", ".inf", "a b", "a: b", "a #b", "ä", "*a", "&a", "!a", "a:", "%a", "@a", `a"b\c`, "'a'"} {
		r := described(t, nil, Given{})
		r.Submodules = facts([]string{path})
		got, err := recipefile.ReadModule(r.Name, []byte(r.Text("")))
		require.NoError(t, err, path)
		assert.Equal(t, []string{path}, got.Submodules)
	}
	r := described(t, nil, Given{})
	r.Proof, r.Config = "a\nb\u2028c", []Fact{{"A = b", strings.Repeat("ä", 200)}}
	text := r.Text("")
	assert.Contains(t, text, "\n# Proof: a b c.\n")
	assert.Contains(t, text, strings.Repeat("ä", 80)+"…\n", "evidence is cut at a letter")
}
