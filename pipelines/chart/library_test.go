package chart

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// A library chart of a tree is found by its folder, and says what is wrong with it.
func TestLibraryNamed(t *testing.T) {
	const meta = "apiVersion: v2\nname: extra\ntype: library\nversion: 1.0.0\n"
	for name, c := range map[string]struct {
		named string
		files map[string]string
		want  string
	}{
		"good": {"extra", map[string]string{"Chart.yaml": meta, "values.schema.json": " {}"}, ""},
		"a name that no registry takes": {
			"Extra", nil, `charts/Extra: "Extra" can't be a library chart's name: only lower-case letters and ` +
				"digits, with single -, . or _ between; rename the folder, as in ioc-lib",
		},
		"another name": {
			"other", map[string]string{"Chart.yaml": meta, "values.schema.json": "{}"},
			`charts/other/Chart.yaml: reading library chart: the chart is called "extra", and its folder other; ` +
				"write name: other",
		},
		"no folder": {
			"extra", nil, "charts/extra: reading library chart: open .: file does not exist; " +
				"mend the files of the library chart",
		},
		"no library": {
			"extra", map[string]string{"Chart.yaml": "name: extra\n"},
			`charts/extra/Chart.yaml: reading library chart: type is "", not library; write type: library`,
		},
		"no schema": {
			"extra", map[string]string{"Chart.yaml": meta, "values.schema.json": "\n"},
			"charts/extra/values.schema.json: reading library chart: the schema of the values is missing; " +
				"restore it from git",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for file, text := range c.files {
				tree["charts/"+c.named+"/"+file] = &fstest.MapFile{Data: []byte(text)}
			}
			l, err := LibraryNamed(tree, c.named)
			if c.want == "" {
				require.NoError(t, err)
				require.Len(t, l.files, 2)
				return
			}
			require.EqualError(t, err, c.want)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
		})
	}
}

// A library chart that was released makes the charts that its source makes, which name
// the version that it was released at.
func TestAReleasedLibraryIsTheOneThatWasPackaged(t *testing.T) {
	packed, err := lib.Archive("3.1.4")
	require.NoError(t, err)
	again, err := lib.Archive("3.1.4")
	require.NoError(t, err)
	require.Equal(t, packed, again)
	released, err := Unpack(packed)
	require.NoError(t, err)
	require.Equal(t, "3.1.4", released.meta.Version)
	want, err := lib.withVersion("3.1.4")
	require.NoError(t, err)
	require.Equal(t, want, released.files)
	bl, inst := stage(t)
	tgz, err := released.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	there, err := Render(tgz, "bl01t")
	require.NoError(t, err)
	tgz, err = lib.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	here, err := Render(tgz, "bl01t")
	require.NoError(t, err)
	require.Equal(t, here, there)

	_, err = Unpack([]byte("no chart"))
	require.ErrorContains(t, err, "reading a released library chart: ")
	require.ErrorContains(t, err, "; name another version of the library chart in tagline.yaml")
	require.Equal(t, diag.Broken, diag.KindOf(err))
	_, err = Unpack(tgz)
	require.ErrorContains(t, err, `type is "application", not library`)
}

// readAs reads instance a of the tree of Show, with values of its own.
func readAs(values string) (*beamline.Beamline, error) {
	tree := shownTree()
	tree["beamlines/bl01t/iocs/bl01t-a/values.yaml"] = &fstest.MapFile{
		Data: []byte("image: ioc-a 1.0.0\nprobePV: A\n" + values),
	}
	return beamline.Read(tree, asset.Name("bl01t"))
}

// What is taken from somebody's file, a chart can be made of: else its fault would be told
// late, and without its line.
func FuzzWhatIsReadCanBePackaged(f *testing.F) {
	for _, values := range []string{
		"", "memory: 1e9\n", "memory: 1E\n", "memory: .5Gi\n", "memory: +1Gi\n", "cpu: 1500u\n", "cpu: 0.5\n",
		"cpu: '1'\n", "env: {A.B: x}\n", "env: {A-B: x}\n", "env: {..: x}\n", "env: {_: ''}\n",
		"volumes: [{name: a, mountPath: //epics, claim: a}]\n", "volumes: [{name: a, mountPath: /usr//, claim: a}]\n",
		"volumes: [{name: a, mountPath: /usr/local, claim: a}]\n", "labels: {a: ''}\n",
		"container: {env: [{name: IOC_RUN, value: x}]}\n", "containers: [{name: a, command: [b], image: null}]\n",
		"pod: {volumes: [{name: ioc, emptyDir: null}]}\n", "affinity: {}\npod: {}\ncontainer: {}\n",
		"tolerations: [{operator: Exists, effect: ''}]\n", "nodeSelector: {a.b/c: x}\n", "uid: 2147483647\n",
		"startup: {within: 99999h, allow: [{line: x, why: y}]}\nstart: false\nautosave: ''\n",
		"env: {A: \"{{ .Values }}\", B: \"\\0\", C: \"\\u0085\"}\n", "annotations: {a: \"a\\nb: c\"}\n",
	} {
		f.Add(values)
	}
	f.Fuzz(func(t *testing.T, values string) {
		bl, err := readAs(values)
		if err != nil {
			return
		}
		tgz, err := lib.Package(bl, bl.Instances[0], image, "1.0.0")
		require.NoError(t, err)
		_, err = Needs(tgz, bl.Namespace, image)
		require.NoError(t, err)
	})
}

// Amounts and variables that a chart can't have are refused where they are read.
func TestWhatAChartCanNotHaveIsNotRead(t *testing.T) {
	for values, says := range map[string]string{
		"memory: 1e9\n":      `values.yaml:3: memory: "1e9" is an amount that the chart does not take`,
		"memory: +1Gi\n":     `values.yaml:3: memory: "+1Gi" is an amount that the chart does not take`,
		"memory: .5Gi\n":     `values.yaml:3: memory: ".5Gi" is an amount that the chart does not take`,
		"autosave: 1Ei\n":    `values.yaml:3: autosave: "1Ei" is an amount that the chart does not take`,
		"cpu: 500000u\n":     `values.yaml:3: cpu: "500000u" is an amount that the chart does not take`,
		"env: {SITE.ID: x}":  `values.yaml:3: "SITE.ID" can't be the name of an environment variable`,
		"env: {my-site: x}":  `values.yaml:3: "my-site" can't be the name of an environment variable`,
		"memory: 0.5Gi\n":    "",
		"cpu: 1500m\n":       "",
		"autosave: 100.5M\n": "",
	} {
		_, err := readAs(values)
		if says == "" {
			require.NoError(t, err, values)
			continue
		}
		require.ErrorContains(t, err, says, values)
	}
}
