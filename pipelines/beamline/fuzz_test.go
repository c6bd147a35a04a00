package beamline_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Whatever somebody writes into the files of a good beamline: it is read with
// all that a chart needs, or refused with the file and the mend.
func FuzzRead(f *testing.F) {
	good := site(f)
	const (
		shared = "beamlines/bl01t/beamline.yaml"
		own    = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml"
		script = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config/st.cmd"
	)
	f.Add(good[shared].Data, good[own].Data, good[script].Data)
	f.Add([]byte("namespace: a\nvalues: {tolerations: [{}, ~], env: ~}\n"),
		[]byte("image: a 1\nprobePV: A\nuid: 9223372036854775808\nenv: {\"a\\nb\": x}\nnodeSelector: {\"\\t\": "+
			"\"\"}\n"), []byte("< x"))
	f.Add([]byte("namespace: a\nvalues: {cpu: \"1e99999999\", memory: \"-0\"}\ngate: {approvers: [\"\"]}\n"),
		[]byte("image: a 1\nprobePV: A\nautosave: \"\"\ncpu: \"\\0\"\n"), []byte(""))
	f.Fuzz(func(t *testing.T, b, i, s []byte) {
		tree := fstest.MapFS{}
		for name, file := range good {
			tree[name] = file
		}
		for name, text := range map[string][]byte{shared: b, own: i, script: s} {
			tree[name] = &fstest.MapFile{Data: text}
		}
		bl, err := beamline.Read(tree, "bl01t")
		assert.Equal(t, err == nil, bl != nil)
		for _, e := range diag.All(err) {
			var fault *diag.Error
			require.True(t, errors.As(e, &fault))
			assert.Equal(t, diag.Invalid, fault.Kind, "%s", fault)
			assert.NotEmpty(t, fault.File, "%s", fault)
			assert.NotEmpty(t, fault.Fix, "%s", fault)
			assert.Equal(t, -1, strings.IndexFunc(fault.Error(), unicode.IsControl), "control character in %q", fault)
		}
		if err != nil {
			return
		}
		assert.NotEmpty(t, bl.Namespace)
		for _, inst := range bl.Instances {
			assert.NotEmpty(t, inst.Image.Asset)
			assert.False(t, inst.Image.Version.IsZero())
			assert.NotEmpty(t, inst.Values.ProbePV)
			assert.Contains(t, inst.Config, "st.cmd")
			assert.GreaterOrEqual(t, inst.Values.UID, int64(0))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	tree := site(b)
	for b.Loop() {
		_, err := beamline.Read(tree, "bl01t")
		require.NoError(b, err)
	}
}
