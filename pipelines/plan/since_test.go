package plan

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// small is a site whose names are prefixes of each other: ioc and ioc-pmac
// build motor, which needs asyn of epics-modules; plain builds nothing shared;
// bl and bl0 are beamlines.
var small = map[string]string{
	"generic-iocs/support/epics-base.yaml": "git: https://github.com/epics-base/epics-base\nmacro: EPICS_BASE\n",
	"generic-iocs/support/asyn.yaml":       "git: https://github.com/epics-modules/asyn\nmacro: ASYN\n",
	"generic-iocs/support/motor.yaml": "git: https://github.com/epics-modules/motor\nmacro: MOTOR\n" +
		"needs: [asyn]\n",
	"generic-iocs/support/own.yaml":         "folder: generic-iocs/ioc/own\nmacro: OWN\n",
	"generic-iocs/ioc/own/src/Makefile":     "",
	"generic-iocs/epics-base/image.yaml":    "from: debian:trixie-slim\nmodules:\n  epics-base: R7.0.8.1\n",
	"generic-iocs/epics-modules/image.yaml": "from: epics-base 7.0.8.1r1.0\nmodules:\n  asyn: R4-45\n",
	"generic-iocs/ioc/image.yaml": "from: epics-modules 4.45r1.0\nmodules:\n  motor: R7-3\nioc: {modules: [motor]}\n" +
		"smoke: {config: smoke, checks: [{pv: A, value: \"1\"}]}\n",
	"generic-iocs/ioc/smoke/st.cmd":          script,
	"generic-iocs/ioc-pmac/image.yaml":       "from: epics-modules 4.45r1.0\nmodules:\n  motor: R7-3\n",
	"generic-iocs/plain/image.yaml":          "from: epics-base 7.0.8.1r1.0\nmodules:\n  own: tree\n",
	"charts/ioc-lib/Chart.yaml":              "apiVersion: v2\nname: ioc-lib\n",
	"charts/other/Chart.yaml":                "apiVersion: v2\nname: other\n",
	"shared/common.cmd":                      "# for several IOCs\n",
	"beamlines/bl/beamline.yaml":             "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 256Mi}\n",
	"beamlines/bl/iocs/bl-a/values.yaml":     "image: ioc 1.0.0\nprobePV: A\n",
	"beamlines/bl/iocs/bl-a/config/st.cmd":   script,
	"beamlines/bl/iocs/bl-ab/values.yaml":    "image: ioc 1.0.0\nprobePV: B\nmemory: 1Gi\n",
	"beamlines/bl/iocs/bl-ab/config/st.cmd":  script,
	"beamlines/bl0/beamline.yaml":            "namespace: bl0\nvalues: {uid: 1000, gid: 1000}\n",
	"beamlines/bl0/iocs/bl0-a/values.yaml":   "image: ioc-pmac 1.0.0\nprobePV: C\n",
	"beamlines/bl0/iocs/bl0-a/config/st.cmd": script,
}

const gone = "-"

// edited returns the small site with some files written, linked ("→ target"), or
// removed (gone), and the paths that git would call changed.
func edited(edits map[string]string) (to fstest.MapFS, changed []string) {
	files := maps.Clone(small)
	maps.Copy(files, edits)
	to = fstest.MapFS{}
	for name, text := range files {
		if target, ok := strings.CutPrefix(text, "→ "); ok {
			to[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		} else if text != gone {
			to[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if old, ok := small[name]; !ok || old != text {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return to, changed
}

// brief shows what was selected: "ioc@1" for an image with its level,
// "bl:bl-a,bl-ab" for a beamline, "-x" for what was removed.
func brief(c *Changes) (list []string) {
	for _, a := range c.Assets {
		s := string(a.Asset)
		if a.Kind == "image" {
			s += "@" + string(rune('0'+a.Level))
		}
		if a.Kind == "beamline" {
			s += ":"
			for i, inst := range a.Instances {
				s += map[bool]string{false: ",", true: ""}[i == 0] + inst.Name
			}
		}
		for _, r := range a.Removed {
			s += "-" + r
		}
		list = append(list, s)
	}
	for _, r := range c.Removed {
		list = append(list, "-"+string(r.Asset))
	}
	return list
}

// selection is a change of the small site, and what it selects.
type selection struct {
	edits map[string]string
	want  string // as brief shows it
	why   string // of the first asset or its first instance
}

func TestSinceImages(t *testing.T) {
	selects(t, map[string]selection{
		"nothing": {nil, "", ""},
		"a shared support module": {map[string]string{
			"generic-iocs/support/asyn.yaml": "git: https://example.org/asyn\nmacro: ASYN\n",
		},
			"epics-modules@0 ioc@1 ioc-pmac@1",
			"generic-iocs/support/asyn.yaml changed, and generic-iocs/epics-modules/image.yaml:3 builds it"},
		"a support module of leaves": {map[string]string{
			"generic-iocs/support/motor.yaml": "git: https://example.org/motor\nmacro: MOTOR\nneeds: [asyn]\n",
		},
			"ioc@0 ioc-pmac@0", "generic-iocs/support/motor.yaml changed, and generic-iocs/ioc/image.yaml:3 builds it"},
		"a module's source, in another image's folder": {map[string]string{"generic-iocs/ioc/own/src/Makefile": "x"},
			"plain@0", "generic-iocs/ioc/own/src/Makefile changed, and generic-iocs/plain/image.yaml:3 builds it"},
		"EPICS Base": {map[string]string{
			"generic-iocs/support/epics-base.yaml": "git: https://example.org/base\nmacro: EPICS_BASE\n",
		},
			"epics-base@0 epics-modules@1 plain@1 ioc@2 ioc-pmac@2", ""},
		"a parent image": {
			map[string]string{"generic-iocs/epics-modules/image.yaml": small["generic-iocs/epics-modules/image.yaml"] +
				"packages: {build: [gdb]}\n"},
			"epics-modules@0 ioc@1 ioc-pmac@1", "generic-iocs/epics-modules/image.yaml changed",
		},
		"a name that is the prefix of another": {
			map[string]string{"generic-iocs/ioc/image.yaml": small["generic-iocs/ioc/image.yaml"] + "# x\n"}, "ioc@0",
			"",
		},
		"a smoke test": {
			map[string]string{"generic-iocs/ioc/smoke/st.cmd": script + "dbl\n"}, "ioc@0",
			"generic-iocs/ioc/smoke/st.cmd changed",
		},
		"a text": {
			map[string]string{
				"generic-iocs/ioc/README.md": "x", "README.md": "x", "beamlines/bl/README.md": "x",
				"beamlines/bl/iocs/bl-a/README.md": "x",
			},
			"", "",
		},
	})
}

func TestSinceBeamlines(t *testing.T) {
	selects(t, map[string]selection{
		"the library chart": {
			map[string]string{"charts/ioc-lib/templates/_ioc.tpl": "x"}, "bl:bl-a,bl-ab bl0:bl0-a ioc-lib",
			"charts/ioc-lib/templates/_ioc.tpl changed",
		},
		"another chart": {map[string]string{"charts/other/Chart.yaml": "x"}, "other", ""},
		"an instance": {
			map[string]string{"beamlines/bl/iocs/bl-a/config/st.cmd": script + "dbl\n"}, "bl:bl-a",
			"beamlines/bl/iocs/bl-a/config/st.cmd changed",
		},
		"a shared value": {
			map[string]string{
				"beamlines/bl/beamline.yaml": "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 512Mi}\n",
			},
			"bl:bl-a", "beamlines/bl/beamline.yaml: memory changed",
		},
		"a new shared value": {
			map[string]string{
				"beamlines/bl/beamline.yaml": "namespace: bl\n" +
					"values: {uid: 1000, gid: 1000, memory: 256Mi, cpu: 100m}\n",
			},
			"bl:bl-a,bl-ab", "beamlines/bl/beamline.yaml: cpu changed",
		},
		"a comment on shared values": {
			map[string]string{"beamlines/bl/beamline.yaml": "# x\n" + small["beamlines/bl/beamline.yaml"]}, "", "",
		},
		"the namespace": {
			map[string]string{"beamlines/bl0/beamline.yaml": "namespace: bl0-new\nvalues: {uid: 1000, gid: 1000}\n"},
			"bl0:bl0-a", "beamlines/bl0/beamline.yaml changed",
		},
		"the gate": {
			map[string]string{
				"beamlines/bl0/beamline.yaml": small["beamlines/bl0/beamline.yaml"] + "gate: {approvers: [octocat]}\n",
			},
			"bl0:", "beamlines/bl0/beamline.yaml: gate changed",
		},
		"a removed instance": {
			map[string]string{"beamlines/bl/iocs/bl-a/values.yaml": gone, "beamlines/bl/iocs/bl-a/config/st.cmd": gone},
			"bl:-bl-a", "",
		},
		"a removed image": {map[string]string{"generic-iocs/plain/image.yaml": gone}, "-plain", ""},
		"a renamed image": {map[string]string{
			"generic-iocs/plain/image.yaml":  gone,
			"generic-iocs/simple/image.yaml": small["generic-iocs/plain/image.yaml"],
		},
			"simple@0 -plain", "generic-iocs/simple/image.yaml changed"},
		"a renamed beamline": {map[string]string{
			"beamlines/bl0/beamline.yaml": gone, "beamlines/bl0/iocs/bl0-a/values.yaml": gone,
			"beamlines/bl0/iocs/bl0-a/config/st.cmd": gone,
			"beamlines/bl1/beamline.yaml":            small["beamlines/bl0/beamline.yaml"],
			"beamlines/bl1/iocs/bl1-a/values.yaml":   small["beamlines/bl0/iocs/bl0-a/values.yaml"],
			"beamlines/bl1/iocs/bl1-a/config/st.cmd": script,
		}, "bl1:bl1-a -bl0", ""},
		"many files": {
			map[string]string{
				"charts/other/a": "", "charts/other/b": "", "charts/other/c": "", "charts/other/d": "",
				"charts/other/e": "",
			},
			"other", "charts/other/a changed",
		},
	})
}

func selects(t *testing.T, cases map[string]selection) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			from, _ := edited(nil)
			to, changed := edited(c.edits)
			got, err := Since(Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, changed)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(brief(got), " "))
			if c.why != "" {
				a := got.Assets[0]
				if len(a.Instances) > 0 {
					a.Why = a.Instances[0].Why
				}
				require.Equal(t, c.why, a.Why[0])
			}
			require.Len(t, got.Matrix().Include, len(got.Assets))
		})
	}
}

// An instance that has a shared file by a link depends on that file.
// What config folders are made from selects the instances that are made: their
// committed config folder is compared with it.
func TestSinceSources(t *testing.T) {
	const bl = "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 256Mi}\n"
	sources := map[string]string{
		"beamlines/bl/beamline.yaml":        bl + "generate: {command: [sh, make.sh]}\n",
		"beamlines/bl/iocs/bl-a/generate/a": "",
	}
	maps.Copy(small, sources)
	t.Cleanup(func() {
		small["beamlines/bl/beamline.yaml"] = bl
		delete(small, "beamlines/bl/iocs/bl-a/generate/a")
	})
	selects(t, map[string]selection{
		"an instance's source": {
			map[string]string{"beamlines/bl/iocs/bl-a/generate/a": "x"}, "bl:bl-a",
			"beamlines/bl/iocs/bl-a/generate/a changed",
		},
		"a beamline's source": {
			map[string]string{"beamlines/bl/generate/make.sh": "x"}, "bl:bl-a", "beamlines/bl/generate/make.sh changed",
		},
		"the command": {
			map[string]string{"beamlines/bl/beamline.yaml": bl + "generate: {command: [sh, other.sh]}\n"}, "bl:bl-a",
			"beamlines/bl/beamline.yaml: generate changed",
		},
		"sources of a beamline that makes nothing": {
			map[string]string{"beamlines/bl0/generate/make.sh": "x"}, "", "",
		},
	})
}

func TestSinceLinks(t *testing.T) {
	small := maps.Clone(small)
	small["beamlines/bl/iocs/bl-a/config/common.cmd"] = "→ ../../../../../shared/common.cmd"
	small["beamlines/bl0/iocs/bl0-a/config/common.cmd"] = "→ ../../../../bl/iocs/bl-a/config/common.cmd"
	small["generic-iocs/ioc/round"] = "→ ."
	from, _ := edited(small)
	small["shared/common.cmd"] = "# changed\n"
	to, _ := edited(small)
	got, err := Since(Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, []string{"shared/common.cmd"})
	require.NoError(t, err)
	require.Equal(t, []string{"bl:bl-a", "bl0:bl0-a"}, brief(got))
	require.Equal(t, []string{"beamlines/bl/iocs/bl-a/config/common.cmd changed"}, got.Assets[0].Instances[0].Why)

	got, err = Since(
		Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, []string{"generic-iocs/ioc/image.yaml"},
	)
	require.NoError(t, err)
	require.Equal(t, []string{"ioc@0"}, brief(got))
}

// The released library chart that tagline.yaml names is part of every instance's chart,
// unless the tree has one of its own.
func TestSinceALibraryThatIsPinned(t *testing.T) {
	const why = "tagline.yaml: library changed"
	without := map[string]string{"charts/ioc-lib/Chart.yaml": gone}
	for name, c := range map[string]struct {
		edits   map[string]string
		was, is string
		want    string
		reasons []string
	}{
		"another version": {without, "ioc-lib 1.2.0", "ioc-lib 1.3.0", "bl:bl-a,bl-ab bl0:bl0-a", []string{why}},
		"the first":       {without, "", "ioc-lib 1.3.0", "bl:bl-a,bl-ab bl0:bl0-a", []string{why}},
		"none any more":   {without, "ioc-lib 1.3.0", "", "bl:bl-a,bl-ab bl0:bl0-a", []string{why}},
		"the same":        {without, "ioc-lib 1.3.0", "ioc-lib 1.3.0", "", nil},
		"the tree's own":  {nil, "ioc-lib 1.2.0", "ioc-lib 1.3.0", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			files, _ := edited(c.edits)
			from, to := Tree{Commit: "a", Files: files}, Tree{Commit: "b", Files: files}
			if c.was != "" {
				from.Library = assettest.Pin(c.was)
			}
			if c.is != "" {
				to.Library = assettest.Pin(c.is)
			}
			got, err := Since(from, to, []string{"tagline.yaml"})
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(brief(got), " "))
			for _, a := range got.Assets {
				require.Empty(t, a.Why, "nothing of the beamline itself")
				for _, inst := range a.Instances {
					require.Equal(t, c.reasons, inst.Why)
				}
			}
		})
	}
}

func TestSinceSteps(t *testing.T) {
	from, _ := edited(nil)
	to, changed := edited(map[string]string{
		"generic-iocs/ioc/image.yaml": small["generic-iocs/ioc/image.yaml"] + "# x\n", "charts/other/Chart.yaml": "x",
		"beamlines/bl/iocs/bl-a/config/st.cmd": script + "dbl\n"})
	got, err := Since(Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, changed)
	require.NoError(t, err)
	require.Equal(t, []Step{
		{Test, "IOC bl-a", "beamlines/bl/iocs/bl-a/config/st.cmd changed"},
		{Package, "chart bl-a", "beamlines/bl/iocs/bl-a/config/st.cmd changed"},
		{Build, "image ioc", "generic-iocs/ioc/image.yaml changed"},
		{Test, "image ioc", "generic-iocs/ioc/image.yaml changed"},
		{Package, "chart other", "charts/other/Chart.yaml changed"},
	}, got.Steps)
	require.Equal(
		t, Job{Asset: "bl", Kind: "beamline", Instances: "bl-a", Why: "beamlines/bl/iocs/bl-a/config/st.cmd changed"},
		got.Matrix().Include[0],
	)
}

func TestSinceRefuses(t *testing.T) {
	from, _ := edited(nil)
	to, changed := edited(map[string]string{"generic-iocs/support/asyn.yaml": gone})
	_, err := Since(Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, changed)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.ErrorContains(t, err, "generic-iocs/epics-modules/image.yaml:3")
	// The older tree's faults are nobody's concern any more.
	_, err = Since(Tree{Commit: "b", Files: to}, Tree{Commit: "a", Files: from}, changed)
	require.NoError(t, err)
}
