package diff

import (
	"maps"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

const script = "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n"

var site = map[string]string{
	"charts/ioc-lib/Chart.yaml":              "name: ioc-lib\n",
	"beamlines/bl/beamline.yaml":             "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 256Mi}\n",
	"beamlines/bl/iocs/bl-a/values.yaml":     "image: ioc 1.0.0\nprobePV: A\n",
	"beamlines/bl/iocs/bl-a/config/st.cmd":   script,
	"beamlines/bl/iocs/bl-b/values.yaml":     "image: ioc 1.0.0\nprobePV: B\n",
	"beamlines/bl/iocs/bl-b/config/st.cmd":   script,
	"beamlines/bl/iocs/bl-old/values.yaml":   "image: ioc 1.0.0\nprobePV: C\n",
	"beamlines/bl/iocs/bl-old/config/st.cmd": script,
}

func files1(edits map[string]string) fstest.MapFS {
	all := maps.Clone(site)
	maps.Copy(all, edits)
	f := fstest.MapFS{}
	for name, text := range all {
		if text != "" {
			f[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return f
}

func beamlineRecord(version string, pvs ...record.Test) *record.Record {
	return &record.Record{
		Kind: asset.Beamline, Asset: "bl", Version: assettest.Version(version), Namespace: "bl", Checks: pvs,
		Parents: record.Parents{Releases: []record.Parent{{
			Asset: "ioc", Version: assettest.Version("1.0.0"), Digest: "sha256:aa",
		}}},
	}
}

func TestBeamline(t *testing.T) {
	from := Release{
		beamlineRecord(
			"1.0.0",
			record.Test{
				Of:  "bl-a",
				PVs: []record.PV{{Name: "A", Type: "ai"}, {Name: "A2", Type: "ai"}, {Name: "GONE", Type: "bo"}},
			},
		),
		files1(nil),
		nil,
	}
	to := Release{
		beamlineRecord(
			"1.1.0",
			record.Test{Of: "bl-a", PVs: []record.PV{{Name: "A", Type: "ao"}}},
			record.Test{Of: "bl-new", PVs: []record.PV{{Name: "A2", Type: "ai"}, {Name: "NEW", Type: "motor"}}},
		),
		files1(map[string]string{
			"charts/ioc-lib/templates/_ioc.tpl": "x",
			"beamlines/bl/beamline.yaml":        "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 512Mi}\n",
			"beamlines/bl/iocs/bl-a/config/st.cmd": "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\n" +
				"ioc_registerRecordDeviceDriver(pdbbase)\n" +
				"iocInit\n" +
				"dbl\n",
			"beamlines/bl/iocs/bl-a/config/more.db": "record(ai, \"A3\") {}\n",
			"beamlines/bl/iocs/bl-b/values.yaml": "image: ioc 1.1.0\nprobePV: B\nmemory: 256Mi\n" +
				"env: {EPICS_CA_MAX_ARRAY_BYTES: \"1000000\"}\n",
			"beamlines/bl/iocs/bl-old/values.yaml":   "",
			"beamlines/bl/iocs/bl-old/config/st.cmd": "",
			"beamlines/bl/iocs/bl-new/values.yaml":   "image: ioc 1.1.0\nprobePV: D\n",
			"beamlines/bl/iocs/bl-new/config/st.cmd": script,
		}),
		nil,
	}
	to.Record.Parents.Releases = append(
		to.Record.Parents.Releases,
		record.Parent{Asset: "ioc", Version: assettest.Version("1.1.0"), Digest: "sha256:bb"},
	)
	to.Record.Gate.Approvers = []string{"octocat"}

	d, err := New(from, to)
	require.NoError(t, err)
	require.Equal(t, &Diff{
		Asset: "bl", Kind: asset.Beamline, From: assettest.Version("1.0.0"), To: assettest.Version("1.1.0"),
		Beamline: []Change{{"approvers", "", "octocat"}},
		Parents:  []Change{{"ioc", "1.0.0 sha256:aa", "1.0.0 sha256:aa, 1.1.0 sha256:bb"}},
		Files:    []File{{"charts/ioc-lib/templates/_ioc.tpl", Appears, nil}},
		Instances: []Instance{
			{
				Name:   "bl-a",
				State:  Changes,
				Values: []Change{{"memory", "256Mi", "512Mi"}},
				Files:  []File{{"more.db", Appears, nil}, {"st.cmd", Changes, []string{"+dbl"}}},
			},
			{
				Name:   "bl-b",
				State:  Changes,
				Image:  &Change{"ioc", "ioc 1.0.0", "ioc 1.1.0"},
				Values: []Change{{"env.EPICS_CA_MAX_ARRAY_BYTES", "", "1000000"}},
			},
			{Name: "bl-new", State: Appears, Image: &Change{"ioc", "", "ioc 1.1.0"}},
			{Name: "bl-old", State: Disappears, Image: &Change{"ioc", "ioc 1.0.0", ""}},
		},
		PVs: []PV{
			{"A", "ai", "ao", "bl-a", "bl-a"},
			{"A2", "ai", "ai", "bl-a", "bl-new"},
			{"GONE", "bo", "", "bl-a", ""},
			{"NEW", "", "motor", "", "bl-new"},
		},
	}, d)
	require.False(t, d.Same())

	d, err = New(from, from)
	require.NoError(t, err)
	require.True(t, d.Same())
}

func TestImage(t *testing.T) {
	made := func(version, ref, commit, image string) Release {
		return Release{
			&record.Record{
				Kind:    asset.Image,
				Asset:   "ioc",
				Version: assettest.Version(version),
				Sources: []record.Source{{Module: "asyn", Ref: ref, Commit: commit}},
			},
			fstest.MapFS{
				"generic-iocs/ioc/image.yaml": {Data: []byte(image)},
				"generic-iocs/ioc/logo.png":   {Data: []byte(version + "\x00")},
			},
			nil,
		}
	}
	d, err := New(
		made("1.0.0", "R4-44", "aa", "from: base 1.0\nmodules: {asyn: R4-44}\n"),
		made("1.1.0", "R4-45", "bb", "from: base 1.0\nmodules: {asyn: R4-45}\n"),
	)
	require.NoError(t, err)
	require.Equal(t, []Change{{"asyn", "R4-44 at aa", "R4-45 at bb"}}, d.Sources)
	require.Equal(t, []File{
		{"generic-iocs/ioc/image.yaml", Changes, []string{"-modules: {asyn: R4-44}", "+modules: {asyn: R4-45}"}},
		{"generic-iocs/ioc/logo.png", Changes, nil},
	}, d.Files)
}

func TestRefuses(t *testing.T) {
	_, err := New(
		Release{beamlineRecord("1.0.0"), files1(nil), nil},
		Release{&record.Record{Kind: asset.Image, Asset: "ioc", Version: assettest.Version("1.0.0")}, files1(nil), nil},
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = New(
		Release{beamlineRecord("1.0.0"), files1(map[string]string{"beamlines/bl/beamline.yaml": "nonsense: 1\n"}), nil},
		Release{beamlineRecord("1.1.0"), files1(nil), nil},
	)
	require.ErrorContains(t, err, "beamlines/bl/beamline.yaml:1")
}

// What an own chart brings is shown with its files, and what that needs.
func TestOwnCharts(t *testing.T) {
	own := map[string]string{
		"beamlines/bl/iocs/bl-a/Chart.yaml": "description: x\n", "beamlines/bl/iocs/bl-a/templates/x.yaml": "a: 1\n",
	}
	from := Release{beamlineRecord("1.0.0"), files1(own), map[string][]string{"bl-a": {"kind Service", "root"}}}
	own["beamlines/bl/iocs/bl-a/templates/x.yaml"] = "a: 2\n"
	to := Release{
		beamlineRecord("1.1.0"), files1(own),
		map[string][]string{"bl-a": {"kind Service", "privileged"}, "bl-b": {"root"}},
	}
	d, err := New(from, to)
	require.NoError(t, err)
	require.Equal(t, []Instance{
		{
			Name: "bl-a", State: Changes, Files: []File{{"templates/x.yaml", Changes, []string{"-a: 1", "+a: 2"}}},
			Needs: []Change{{"privileged", "", "needed"}, {"root", "needed", ""}},
		},
		{Name: "bl-b", State: Changes, Needs: []Change{{"root", "", "needed"}}},
	}, d.Instances)
}

// What an IOC prints at its start is new where its former start did not print it.
func TestNewNotes(t *testing.T) {
	from := Release{beamlineRecord("1.0.0",
		record.Test{Of: "bl-a", Notes: []string{"no port L0", "no file a.sav"}}, record.Test{Of: "bl-b"},
	), files1(nil), nil}
	to := Release{beamlineRecord("1.0.1",
		record.Test{Of: "bl-a", Notes: []string{"no port L0", "no port L1"}},
		record.Test{Of: "bl-b", Notes: []string{"no port L0"}},
		record.Test{Of: "bl-new", Notes: []string{"no port L2"}},
	), files1(nil), nil}
	d, err := New(from, to)
	require.NoError(t, err)
	require.Equal(t, []Note{{"bl-a", "no port L1"}, {"bl-b", "no port L0"}}, d.Notes)
	require.False(t, d.Same())
	d, err = New(to, to)
	require.NoError(t, err)
	require.True(t, d.Same())
}
