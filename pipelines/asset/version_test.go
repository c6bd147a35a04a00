package asset

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestParseVersion(t *testing.T) {
	for _, c := range []struct {
		in    string
		oci   string
		chart bool
	}{
		{"1.2.3", "1.2.3", true},
		{"1.2.3-beta.1", "1.2.3-beta.1", true},
		{"1.2.3+b1", "1.2.3_b1", true},
		{"1.2.3-rc.1+b1.x", "1.2.3-rc.1_b1.x", true},
		{"2021.8.27", "2021.8.27", true},
		{"2021.09.01", "2021.09.01", false},
		{"2023.10", "2023.10", false},
		{"2023.10.6b3", "2023.10.6b3", false},
		{"4.45", "4.45", false},
		{"7.0.8.1", "7.0.8.1", false},
		{"2.5.3r1.0", "2.5.3r1.0", false},
		{"7.0.5r2.0.multi", "7.0.5r2.0.multi", false},
		{"7.0.8ec2b3", "7.0.8ec2b3", false},
		{"2.11ec4", "2.11ec4", false},
		{"4.45ec5-beta.1", "4.45ec5-beta.1", false},
		{"0.9.5.b2", "0.9.5.b2", false},
		{"0.9.5.dev", "0.9.5.dev", false},
		{"1.0.0.post1", "1.0.0.post1", false},
		{"7.0.8R1.0", "7.0.8R1.0", false},
	} {
		t.Run(c.in, func(t *testing.T) {
			v, err := ParseVersion(c.in)
			require.NoError(t, err)
			require.Equal(t, c.in, v.String())
			require.Equal(t, c.oci, v.OCITag())
			back, err := VersionOfOCITag(v.OCITag())
			require.NoError(t, err)
			require.Equal(t, v, back)
			chart, err := v.Chart()
			if !c.chart {
				require.Equal(t, diag.Invalid, diag.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.in, chart)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const fix = "; write two to four numbers and what follows them, as in 1.0.0, 2026.11.1, 7.0.8r1.0 or 7.0.8r1.0-beta.1"
	for in, want := range map[string]string{
		"":                      `"": not a version` + fix,
		"test":                  "test: not a version" + fix,
		"1.0.0/2":               "1.0.0/2: not a version" + fix,
		"1.0:latest":            "1.0:latest: not a version" + fix,
		"1..2":                  "1..2: ..2 is no release, pre-release or variant" + fix,
		"1.2.3-":                "1.2.3-: not a version" + fix,
		"1.2.3+a+b":             "1.2.3+a+b: not a version" + fix,
		"\x1b[31m1.0":           `"\x1b[31m1.0": not a version` + fix,
		"v1.2.3":                "v1.2.3: not a version; write 1.2.3",
		"R7.0.8.1":              "R7.0.8.1: not a version; write 7.0.8.1",
		"R4-45":                 "R4-45: not a version; write 4.45",
		" 1.2.3":                `" 1.2.3": not a version; write 1.2.3`,
		"5":                     "5: 1 number where two to four are meant; write 5.0",
		"5r1.0":                 "5r1.0: 1 number where two to four are meant; write 5.0r1.0",
		"1.2.3.4.5":             "1.2.3.4.5: 5 numbers where two to four are meant" + fix,
		"1.2.3_b1":              "1.2.3_b1: _ stands for + in a registry, so a version cannot have it; write 1.2.3+b1",
		"4.1.2b+b1":             "4.1.2b+b1: b has no number, so it may come before or after the release; write 4.1.2-b+b1",
		"1.0r1.0r2.0":           "1.0r1.0r2.0: r2.0 is one release or pre-release too many" + fix,
		"7.0b1r1.0":             "7.0b1r1.0: r1.0 is one release or pre-release too many" + fix,
		"1.0.":                  "1.0.: . is no release, pre-release or variant" + fix,
		"1.1234567890123456789": "1.1234567890123456789: a number of more than 18 digits" + fix,
	} {
		_, err := ParseVersion(in)
		require.EqualError(t, err, want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	long := "1.0-"
	for range 125 {
		long += "a"
	}
	_, err := ParseVersion(long)
	require.ErrorContains(t, err, "longer than the 128 characters of a registry's tag")
	_, err = ParseVersion(long[:128])
	require.NoError(t, err)
}

func TestChartRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"2021.09.01":      "2021.09.01: leading zeros are not SemVer; write 2021.9.1",
		"2023.10":         "2023.10: 2 numbers are not SemVer, which Helm charts need; write 2023.10.0",
		"2023.10.6b3":     "2023.10.6b3: a pre-release spelled this way is not SemVer, which Helm charts need; write 2023.10.6-beta.3",
		"1.0.0-01":        "1.0.0-01: a pre-release spelled this way is not SemVer, which Helm charts need; write 1.0.0-1",
		"1.0.0.dev":       "1.0.0.dev: a pre-release spelled this way is not SemVer, which Helm charts need; write 1.0.0-dev",
		"2.5.3r1.0":       "2.5.3r1.0: r1.0 after the numbers is not SemVer, which Helm charts need; " + semVerFix,
		"7.0.5r2.0.multi": "7.0.5r2.0.multi: r2.0 after the numbers is not SemVer, which Helm charts need; " + semVerFix,
		"1.0.0.multi":     "1.0.0.multi: multi after the numbers is not SemVer, which Helm charts need; " + semVerFix,
		"7.0.8.1":         "7.0.8.1: 4 numbers are not SemVer, which Helm charts need; " + semVerFix,
	} {
		v, err := ParseVersion(in)
		require.NoError(t, err)
		_, err = v.Chart()
		require.EqualError(t, err, want)
	}
	_, err := Version{}.Chart()
	require.Error(t, err)
}

func TestText(t *testing.T) {
	var v Version
	require.True(t, v.IsZero())
	require.NoError(t, v.UnmarshalText([]byte("2.5.3r1.0")))
	b, err := v.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "2.5.3r1.0", string(b))
	require.NoError(t, v.UnmarshalText(nil))
	require.True(t, v.IsZero())
	require.Error(t, v.UnmarshalText([]byte("test")))
}
