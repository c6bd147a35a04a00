package asset

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// seeds are the spellings of the field, good and bad.
var seeds = strings.Fields(`1.2.3 1.2.3-beta.1+b1 2021.8.27 2021.09.01 2.5.3r1.0 7.0.5r2.0.multi 7.0.8ec2b3 4.45ec5-beta.1
	2023.10.6b3 0.9.5.b2 4.1.2b+b1 7.0.9 7.0.10 7.0.8.1 test v1 R4-45 1.0.0_1 1.0.post1 1.0.0-0 1.0.0-00 1.0.0-dev 1.0`)

// ociTag is the grammar of the OCI distribution specification.
var ociTag = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

func FuzzParseVersion(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVersion(s)
		if err != nil {
			mended(t, err, "write ", func(m string) error { _, err := ParseVersion(m); return err })
			return
		}
		require.Equal(t, s, v.String())
		require.Regexp(t, ociTag, v.OCITag())
		back, err := VersionOfOCITag(v.OCITag())
		require.NoError(t, err)
		require.Equal(t, v, back)
		if c, err := v.Chart(); err == nil {
			require.Equal(t, s, c)
			_, err = semver.StrictNewVersion(c)
			require.NoError(t, err)
		}
		text(t, v, ParseVersion)
	})
}

// mended checks that a refusal is one of the person's input, with a mend that
// is taken.
func mended(t *testing.T, err error, verb string, again func(string) error) {
	var d *diag.Error
	require.True(t, errors.As(err, &d))
	require.Equal(t, diag.Invalid, d.Kind)
	require.NotEmpty(t, d.Fix)
	require.True(t, utf8.ValidString(d.Error()), "%q", d)
	require.Equal(t, -1, strings.IndexFunc(d.Error(), unicode.IsControl), "%q", d)
	if m, ok := strings.CutPrefix(d.Fix, verb); ok && !strings.Contains(m, " ") && !strings.Contains(m, "<") {
		require.NoError(t, again(m), "the mend %q", m)
	}
}

func FuzzParseTag(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, byte(i))
		f.Add("bl45p/"+s, byte(i))
	}
	f.Fuzz(func(t *testing.T, s string, k byte) {
		kind := []Kind{Image, Library, Beamline}[k%3]
		tag, err := kind.ParseTag(s)
		if err != nil {
			mended(t, err, "tag ", func(m string) error { _, err := kind.ParseTag(m); return err })
		} else {
			require.Equal(t, s, tag.String())
			_, notChart := tag.Version.Chart()
			require.True(t, kind == Image || notChart == nil)
			text(t, tag, ParseTag)
		}
		for _, assets := range []Assets{nil, site, {"bl45p": kind}} {
			resolved, err := assets.Resolve(s)
			if err != nil {
				mended(t, err, "tag ", func(m string) error { _, err := assets.Resolve(m); return err })
				continue
			}
			require.Contains(t, assets, resolved.Asset)
			require.True(t, strings.HasSuffix(s, resolved.Version.String()))
			_, notChart := resolved.Version.Chart()
			require.True(t, assets[resolved.Asset] == Image || notChart == nil)
		}
	})
}

func FuzzParsePin(f *testing.F) {
	for _, s := range []string{
		"", "ioc-simstage 1.0.0", "ioc-simstage  7.0.8.1r1.0", "IOC 1.0.0", "ioc latest", "ioc\t1.0", "a/b 1.0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { parsed(t, s, ParsePin) })
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{
		"", "debian:trixie-slim", "debian", "ghcr.io/o/ioc-runtime:1.0.0", "ghcr.io/o/ioc-runtime@" + sum,
		"127.0.0.1:5000/x", "127.0.0.1:5000/x:1",
		"docker.io/library/debian:trixie-slim@" + sum, "x@sha256:ab", "x@sha512:" + strings.Repeat("ab", 64), " x:1",
		"X:1", "x:1@",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := parsed(t, s, ParseRef)
		if !ok {
			return
		}
		want := r.Repository()
		if r.Tag() != "" {
			want += ":" + r.Tag()
		}
		if r.Digest() != "" {
			want += "@" + string(r.Digest())
		}
		require.Equal(t, s, want, "an address is its parts")
		require.Equal(t, Digest(sum), r.At(Digest(sum)).Digest())
		require.Equal(t, r.Repository(), r.At(Digest(sum)).Repository())
	})
}

func FuzzParseWord(f *testing.F) {
	for _, s := range []string{
		"", "image", "library", "beamline", "chart", "developer", "runtime", "ioc-simstage", "a..b", "-a", sum,
		"sha256:AB",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed(t, s, ParseKind)
		parsed(t, s, ParseName)
		parsed(t, s, ParseTarget)
		if d, ok := parsed(t, s, ParseDigest); ok {
			require.Len(t, d.Short(), len("sha256:")+12)
		}
	})
}

var sum = "sha256:" + strings.Repeat("ab", 32)

// parsed reads a text, and checks the refusal or that the value is written as it
// was read.
func parsed[T comparable](t *testing.T, s string, parse func(string) (T, error)) (T, bool) {
	v, err := parse(s)
	if err != nil {
		mended(t, err, "write ", func(string) error { return nil })
		return v, false
	}
	text(t, v, parse)
	return v, true
}

// text checks that a value goes into JSON and back, and the zero value too.
func text[T comparable](t *testing.T, v T, parse func(string) (T, error)) {
	var zero T
	for _, want := range []T{v, zero} {
		b, err := json.Marshal(want)
		require.NoError(t, err)
		got := v
		require.NoError(t, json.Unmarshal(b, &got))
		require.Equal(t, want, got)
	}
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var s string
	require.NoError(t, json.Unmarshal(b, &s))
	again, err := parse(s)
	require.NoError(t, err)
	require.Equal(t, v, again)
}
