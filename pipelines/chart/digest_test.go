package chart

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// fixed is a library chart that no release changes.
var fixed = fstest.MapFS{
	"Chart.yaml":         {Data: []byte("apiVersion: v2\nname: ioc-lib\ntype: library\nversion: 1.0.0\n")},
	"values.schema.json": {Data: []byte(`{"type": "object", "properties": {"uid": {"type": "integer"}}}`)},
	"README.md":          {Data: []byte(strings.Repeat("It has a page too.\n", 200))},
	"templates/_ioc.tpl": {Data: []byte("{{- define \"ioc-lib.ioc\" -}}\napiVersion: v1\nkind: " +
		"ConfigMap\nmetadata:\n  name: {{ .Chart.Name }}\ndata:\n  {{- (.Files.Glob \"config/*\").AsConfig | nindent " +
		"2 }}\n{{- end }}\n")},
}

// TestDigestsStay: a chart has the digest that it had when it was released
// first, by whatever way it is made today; else a release that is repeated
// would have other content.
func TestDigestsStay(t *testing.T) {
	var b strings.Builder
	for i := range 3 {
		bl, inst := stage(t)
		inst.Name = fmt.Sprintf("bl01t-mo-ioc-%02d", i)
		if i == 1 {
			inst.Values.Tolerations = []beamline.Toleration{{Key: "beamline", Operator: "Exists"}}
			inst.Config["bytes"] = []byte{0, 0xff}
		}
		if i == 2 {
			inst.Chart, inst.Own = true, map[string][]byte{"Chart.yaml": []byte("description: Its own\n"),
				"templates/own.yaml": []byte("# nothing\n")}
		}
		tgz, err := opened(fixed).Package(bl, inst, image, "2026.11.1")
		require.NoError(t, err)
		fmt.Fprintf(&b, "%s sha256:%x\n", inst.Name, sha256.Sum256(tgz))
	}
	golden.Assert(t, b.String(), "digests")
}
