package recipefile_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Whatever somebody writes into the files of a good site: it is read, or
// refused with the file and the mend, and what is read can be walked.
func FuzzRead(f *testing.F) {
	good := site(f)
	const (
		image  = "generic-iocs/ioc-simstage/image.yaml"
		module = "generic-iocs/support/motor.yaml"
		script = "generic-iocs/ioc-simstage/smoke/st.cmd"
	)
	f.Add(good[image].Data, good[module].Data, good[script].Data)
	f.Add(
		[]byte("from: ioc-simstage 1.0\n"), []byte("git: https://a/b\nmacro: M\nneeds: [motor, busy]\n"),
		[]byte("< st.cmd\n"),
	)
	f.Add(
		[]byte(
			"from: a@sha256:0\nmodules: {asyn: tree, \"a\\nb\": x, motor: \"\"}\n"+
				"ioc: {modules: [asyn, \"\"], source: ..}\n",
		),
		[]byte("folder: .\nsubmodules: [\"\"]\n"), []byte("\"\\"),
	)
	f.Add(
		[]byte("from: debian:x\nsmoke: {config: ., checks: [{pv: A, put: \"\", within: 1e-9}, ~]}"),
		[]byte("macro: [\n"), []byte("dbLoadTemplate(\"\x00\n"),
	)
	f.Fuzz(func(t *testing.T, i, m, s []byte) {
		tree := fstest.MapFS{}
		for name, file := range good {
			tree[name] = file
		}
		for name, text := range map[string][]byte{image: i, module: m, script: s} {
			tree[name] = &fstest.MapFile{Data: text}
		}
		got, err := recipefile.Read(tree)
		assert.Equal(t, err == nil, got != nil)
		for _, e := range diag.All(err) {
			var fault *diag.Error
			require.True(t, errors.As(e, &fault))
			assert.Equal(t, diag.Invalid, fault.Kind, "%s", fault)
			assert.NotEmpty(t, fault.File, "%s", fault)
			assert.NotEmpty(t, fault.Fix, "%s", fault)
			assert.Equal(t, -1, strings.IndexFunc(fault.Error(), unicode.IsControl), "control character in %q", fault)
		}
		if err == nil {
			walk(t, got)
		}
	})
}

// walk asks a tree everything.
func walk(t *testing.T, tree *recipe.Tree) {
	for name, img := range tree.Images {
		order := tree.Order(img)
		assert.Len(t, order, len(img.Modules))
		n := 0
		for _, l := range tree.Levels(img) {
			n += len(l)
		}
		assert.Equal(t, len(order), n)
		chain := tree.Chain(name)
		require.NotEmpty(t, chain)
		assert.NotEmpty(t, chain[0].Base)
		assert.NotContains(t, tree.Dependents(name), name)
		for _, m := range tree.IOCModules(img) {
			assert.Contains(t, tree.Modules, m)
			assert.NotEmpty(t, tree.Builders(m))
		}
	}
}
