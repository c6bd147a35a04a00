package asset

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

var site = Assets{"ioc-pmac": Image, "ioc": Image, "ioc-lib": Library, "bl45p": Beamline}

func TestResolve(t *testing.T) {
	alone := Assets{"bl45p": Beamline}
	for _, c := range []struct {
		tag    string
		assets Assets
		want   Tag
	}{
		{"ioc-pmac/2.5.3r1.0", site, Tag{"ioc-pmac", Version{"2.5.3r1.0"}}},
		{"ioc-pmac/1.0.0+b1", site, Tag{"ioc-pmac", Version{"1.0.0+b1"}}},
		{"ioc/1.0.0", site, Tag{"ioc", Version{"1.0.0"}}},
		{"bl45p/2021.8.27", site, Tag{"bl45p", Version{"2021.8.27"}}},
		{"2021.8.27", alone, Tag{"bl45p", Version{"2021.8.27"}}},
	} {
		got, err := c.assets.Resolve(c.tag)
		require.NoError(t, err, c.tag)
		require.Equal(t, c.want, got)
	}
	for _, c := range []struct {
		tag    string
		assets Assets
		want   string
	}{
		{"2021.09.01", alone, "2021.09.01: leading zeros are not SemVer; tag 2021.9.1"},
		{"bl45p/2021.09.01", site, "bl45p/2021.09.01: leading zeros are not SemVer; tag bl45p/2021.9.1"},
		{"bl45p/v2021.09", site, "bl45p/v2021.09: not a version; tag bl45p/2021.9.0"},
		{"bl45p/R4-45", site, "bl45p/R4-45: not a version; tag bl45p/4.45.0"},
		{"bl45p/5r1", site, "bl45p/5r1: 1 number where two to four are meant; " + semVerFix},
		{"1.0.0", site, "1.0.0: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1"},
		{"v1", site, "v1: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1"},
		{"1.0.0", nil, "1.0.0: no asset before the version; tag <asset>/<version>, as in bl01t/2026.11.1"},
		{
			"ioc-pm/1.0.0", site,
			"ioc-pm/1.0.0: no asset ioc-pm in this tree; assets are bl45p, ioc, ioc-lib, ioc-pmac; tag one of these",
		},
		{"ioc-pm/1.0.0", Assets{}, "ioc-pm/1.0.0: no asset ioc-pm in this tree; assets are none; tag one of these"},
		{"BL45P/1.0.0", site, `BL45P/1.0.0: "BL45P" cannot be the name of an asset; tag <asset>/<version> with the asset in lower case, as in bl01t/2026.11.1`},
	} {
		_, err := c.assets.Resolve(c.tag)
		require.EqualError(t, err, c.want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

func TestParseTagOfAKind(t *testing.T) {
	for tag, want := range map[string]Tag{
		"2021.9.1":      {"", Version{"2021.9.1"}},
		"unknown/1.0.0": {"unknown", Version{"1.0.0"}},
	} {
		got, err := Beamline.ParseTag(tag)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := Image.ParseTag("2021.09.01")
	require.NoError(t, err)
	_, err = Beamline.ParseTag("2021.09.01")
	require.EqualError(t, err, "2021.09.01: leading zeros are not SemVer; tag 2021.9.1")
	_, err = Library.ParseTag("4.1.2b+b1")
	require.EqualError(t, err, "4.1.2b+b1: b has no number, so it may come before or after the release; tag 4.1.2-b+b1")
}

func TestParseTag(t *testing.T) {
	for _, s := range []string{"epics-base/7.0.8.1r1.0", "7.0.8.1r1.0"} {
		tag, err := ParseTag(s)
		require.NoError(t, err)
		require.Equal(t, s, tag.String())
	}
	tag, err := ParseTag("epics-base/7.0.8.1r1.0")
	require.NoError(t, err)
	require.Equal(t, "epics-base 7.0.8.1r1.0", tag.Pin().String())
	require.Equal(t, tag, tag.Pin().Tag())
	for in, want := range map[string]string{
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
	for _, in := range []string{
		"", "ioc-simstage", "ioc-simstage 1.0.0 x", "ioc-simstage latest", "IOC 1.0.0", "a/b 1.0.0",
	} {
		_, err := ParsePin(in)
		require.Equal(t, diag.Invalid, diag.KindOf(err), in)
	}
}

func TestParseRef(t *testing.T) {
	for s, want := range map[Ref][3]string{
		"ghcr.io/org/ioc-runtime:1.0.0":             {"ghcr.io/org/ioc-runtime", "1.0.0", ""},
		Ref("127.0.0.1:5000/ioc-runtime@" + sum):    {"127.0.0.1:5000/ioc-runtime", "", sum},
		Ref("docker.io/library/debian:slim@" + sum): {"docker.io/library/debian", "slim", sum},
		"debian:slim": {"debian", "slim", ""},
		Ref("127.0.0.1:5000/a/b:2.5.3r1.0_x@" + sum): {"127.0.0.1:5000/a/b", "2.5.3r1.0_x", sum},
	} {
		r, err := ParseRef(string(s))
		require.NoError(t, err, s)
		require.Equal(t, want, [3]string{r.Repository(), r.Tag(), string(r.Digest())})
		require.Equal(t, want[0]+"@"+sum, string(r.At(Digest(sum))))
	}
	for _, in := range []string{
		"", "debian", "127.0.0.1:5000/x", "x@sha256:ab", "x:1@", "x y:1", "X:1", " x:1", "x@" + sum[:70],
	} {
		_, err := ParseRef(in)
		require.Equal(t, diag.Invalid, diag.KindOf(err), in)
	}
}

func TestWordsInJSONAreChecked(t *testing.T) {
	require.Error(t, new(Kind).UnmarshalText([]byte("chart")))
	require.Error(t, new(Target).UnmarshalText([]byte("debug")))
	require.Error(t, new(Name).UnmarshalText([]byte("A")))
	require.Error(t, new(Digest).UnmarshalText([]byte("latest")))
	require.Error(t, new(Ref).UnmarshalText([]byte("debian")))
	require.Error(t, new(Pin).UnmarshalText([]byte("ioc")))
	require.Error(t, new(Tag).UnmarshalText([]byte("ioc/x")))
	require.Equal(t, "ioc-simstage-runtime", Name("ioc-simstage").Image(Runtime))
}
