package version

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

var site = map[string]record.Kind{"ioc-pmac": record.Image, "ioc": record.Image, "ioc-lib": record.Library, "bl45p": record.Beamline}

func TestCheckTag(t *testing.T) {
	alone := map[string]record.Kind{"bl45p": record.Beamline}
	for _, c := range []struct {
		tag    string
		kind   record.Kind
		assets map[string]record.Kind
		want   Checked
	}{
		{"ioc-pmac/2.5.3r1.0", "", site, Checked{Tag{"ioc-pmac", Version{"2.5.3r1.0"}}, record.Image, "2.5.3r1.0", ""}},
		{"ioc-pmac/1.0.0+b1", "", site, Checked{Tag{"ioc-pmac", Version{"1.0.0+b1"}}, record.Image, "1.0.0_b1", "1.0.0+b1"}},
		{"ioc/1.0.0", record.Image, site, Checked{Tag{"ioc", Version{"1.0.0"}}, record.Image, "1.0.0", "1.0.0"}},
		{"bl45p/2021.8.27", "", site, Checked{Tag{"bl45p", Version{"2021.8.27"}}, record.Beamline, "2021.8.27", "2021.8.27"}},
		{"2021.8.27", "", alone, Checked{Tag{"bl45p", Version{"2021.8.27"}}, record.Beamline, "2021.8.27", "2021.8.27"}},
		{"2021.09.01", record.Image, nil, Checked{Tag{"", Version{"2021.09.01"}}, record.Image, "2021.09.01", ""}},
		{"2021.9.1", record.Beamline, site, Checked{Tag{"", Version{"2021.9.1"}}, record.Beamline, "2021.9.1", "2021.9.1"}},
		{"unknown/1.0.0", record.Library, nil, Checked{Tag{"unknown", Version{"1.0.0"}}, record.Library, "1.0.0", "1.0.0"}},
	} {
		got, err := CheckTag(c.tag, c.kind, c.assets)
		require.NoError(t, err, c.tag)
		require.Equal(t, c.want, got)
	}
	for _, c := range []struct {
		tag    string
		kind   record.Kind
		assets map[string]record.Kind
		want   string
	}{
		{"2021.09.01", record.Beamline, nil, "2021.09.01: leading zeros are not SemVer; tag 2021.9.1"},
		{"2021.09.01", "", alone, "2021.09.01: leading zeros are not SemVer; tag 2021.9.1"},
		{"bl45p/2021.09.01", "", site, "bl45p/2021.09.01: leading zeros are not SemVer; tag bl45p/2021.9.1"},
		{"4.1.2b+b1", record.Library, nil, "4.1.2b+b1: b has no number, so it may come before or after the release; tag 4.1.2-b+b1"},
		{"bl45p/v2021.09", "", site, "bl45p/v2021.09: not a version; tag bl45p/2021.9.0"},
		{"bl45p/R4-45", "", site, "bl45p/R4-45: not a version; tag bl45p/4.45.0"},
		{"bl45p/5r1", "", site, "bl45p/5r1: 1 number where two to four are meant; " + semVerFix},
		{"1.0.0", "", site, "1.0.0: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1"},
		{"1.0.0", "", nil, "1.0.0: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1"},
		{"ioc-pm/1.0.0", "", site, "ioc-pm/1.0.0: no asset ioc-pm in this tree; assets are bl45p, ioc, ioc-lib, ioc-pmac; tag one of these"},
		{"ioc-pm/1.0.0", "", map[string]record.Kind{}, "ioc-pm/1.0.0: no asset ioc-pm in this tree; assets are none; tag one of these"},
		{"ioc-pm/1.0.0", "", nil, "ioc-pm/1.0.0: nothing says what kind of asset this is; name the kind: image, chart or beamline"},
		{"ioc-pmac/1.0.0", record.Beamline, site, "ioc-pmac/1.0.0: ioc-pmac is of kind image, not beamline; leave the kind away, or tag another asset"},
		{"BL45P/1.0.0", "", site, `BL45P/1.0.0: "BL45P" cannot be the name of an asset; tag <asset>/<version> with the asset in lower case, as in bl01t/2026.11.1`},
	} {
		_, err := CheckTag(c.tag, c.kind, c.assets)
		require.EqualError(t, err, c.want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

func TestParseTag(t *testing.T) {
	tag, err := ParseTag("epics-base/7.0.8.1r1.0")
	require.NoError(t, err)
	require.Equal(t, "epics-base", tag.Asset)
	require.Equal(t, "epics-base/7.0.8.1r1.0", tag.String())
	for in, want := range map[string]string{
		"1.0.0":      "1.0.0: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1",
		"/1.0.0":     `/1.0.0: "" cannot be the name of an asset; tag <asset>/<version> with the asset in lower case, as in bl01t/2026.11.1`,
		"bl45p/v1.0": "bl45p/v1.0: not a version; tag bl45p/1.0",
		"a/b/1.0.0":  "a/b/1.0.0: not a version; write two to four numbers and what follows them, as in 1.0.0, 2026.11.1, 7.0.8r1.0 or 7.0.8r1.0-beta.1",
	} {
		_, err := ParseTag(in)
		require.EqualError(t, err, want)
	}
}

func TestParsePin(t *testing.T) {
	p, err := ParsePin("ioc-simstage  1.0.0")
	require.NoError(t, err)
	require.Equal(t, "ioc-simstage 1.0.0", p.String())
	for _, in := range []string{"", "ioc-simstage", "ioc-simstage 1.0.0 x", "ioc-simstage latest"} {
		_, err := ParsePin(in)
		require.Equal(t, diag.Invalid, diag.KindOf(err), in)
	}
}
