package asset

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What each spelling of the field is made of: the order of versions is read off it.
func TestParts(t *testing.T) {
	word := func(w string) Token { return Token{Word: w} }
	number := func(digits string) Token { return Token{digits, true} }
	for in, want := range map[string]Parts{
		"1.2":             {Numbers: Numbers{1, 2}},
		"2021.09.01":      {Numbers: Numbers{2021, 9, 1}},
		"7.0.8.1":         {Numbers: Numbers{7, 0, 8, 1}},
		"2.5.3r1.0":       {Numbers: Numbers{2, 5, 3}, Mark: "r", Release: Numbers{1, 0}},
		"2.5.3R01":        {Numbers: Numbers{2, 5, 3}, Mark: "r", Release: Numbers{1}},
		"2.5.3.r1":        {Numbers: Numbers{2, 5, 3}, Mark: "r", Release: Numbers{1}},
		"1.0.0.post1":     {Numbers: Numbers{1, 0, 0}, Mark: "post", Release: Numbers{1}},
		"7.0.5r2.0.multi": {Numbers: Numbers{7, 0, 5}, Mark: "r", Release: Numbers{2, 0}, Variant: "multi"},
		"7.0.5r2.0b.3.multi": {
			Numbers: Numbers{7, 0, 5}, Mark: "r", Release: Numbers{2, 0}, Pre: []Token{word("beta"), number("3")},
			Variant: "multi",
		},
		"7.0.8ec2b3": {
			Numbers: Numbers{7, 0, 8}, Mark: "ec", Release: Numbers{2}, Pre: []Token{word("beta"), number("3")},
		},
		"4.45ec5-beta.1": {
			Numbers: Numbers{4, 45}, Mark: "ec", Release: Numbers{5}, Pre: []Token{word("beta"), number("1")},
		},
		"0.9.5.b2":     {Numbers: Numbers{0, 9, 5}, Pre: []Token{word("beta"), number("2")}},
		"0.9.5.dev":    {Numbers: Numbers{0, 9, 5}, Pre: []Token{word("")}},
		"0.9.5A01":     {Numbers: Numbers{0, 9, 5}, Pre: []Token{word("alpha"), number("1")}},
		"1.0.0-rc.1.x": {Numbers: Numbers{1, 0, 0}, Pre: []Token{word("rc"), number("1"), word("x")}},
		"1.0.0-c1":     {Numbers: Numbers{1, 0, 0}, Pre: []Token{word("rc"), number("1")}},
		"1.0.0-0.00":   {Numbers: Numbers{1, 0, 0}, Pre: []Token{number(""), number("")}},
		"1.0.0-PREVIEW+b1.x-y": {
			Numbers: Numbers{1, 0, 0}, Pre: []Token{word("pre")}, Build: "b1.x-y",
		},
		"1.0+5": {Numbers: Numbers{1, 0}, Build: "5"},
	} {
		v, err := ParseVersion(in)
		require.NoError(t, err, in)
		require.Equal(t, want, v.Parts(), in)
	}
	require.Equal(t, "7.0.8", Numbers{7, 0, 8}.String())
	require.Empty(t, Numbers{}.String())
}

// What somebody wrote is shown as it is, unless it would steer a terminal, could not be
// told from what stands around it, or is too long to be read.
func TestWhatIsRefusedIsShownInOneLine(t *testing.T) {
	const fix = "; write lower-case letters and digits, with single dots, dashes or underscores between"
	for in, want := range map[string]string{
		"Grün":                   "Grün",
		"a b":                    "a b",
		"":                       `""`,
		" a":                     `" a"`,
		"A\n":                    `"A\n"`,
		"A\x1b[2J":               `"A\x1b[2J"`,
		"A\u009b2J":              `"A\u009b2J"`,
		"A\x9b2J":                `"A\x9b2J"`, // the same, as terminals of eight bits read it
		"A\u202eB":               `"A\u202eB"`,
		"A\x00":                  `"A\x00"`,
		strings.Repeat("A", 128): strings.Repeat("A", 128),
		strings.Repeat("A", 129): strings.Repeat("A", 128) + "…",
	} {
		_, err := ParseName(in)
		require.EqualError(t, err, "reading name "+want+": not the name of an asset"+fix)
	}
}

// Each word says what may stand in its place.
func TestRefusalsSayWhatToWrite(t *testing.T) {
	for name, c := range map[string]struct {
		parse func(string) error
		in    string
		want  string
	}{
		"a kind": {
			refusals(ParseKind), "chart", "reading kind chart: no kind of asset; write image, library or beamline",
		},
		"a kind in capitals": {
			refusals(ParseKind), "Image", "reading kind Image: no kind of asset; write image, library or beamline",
		},
		"a target": {
			refusals(ParseTarget), "debug", "reading target debug: no target of an image; write developer or runtime",
		},
		"a digest": {
			refusals(ParseDigest), strings.ToUpper(sum),
			"reading digest " + strings.ToUpper(sum) + ": not a digest; write sha256: and 64 hex digits",
		},
		"an address": {
			refusals(ParseRef), "debian",
			"reading address debian: not something in a registry; write host/path/name:tag or host/path/name@sha256:…",
		},
		"the digest of an address": {
			refusals(ParseRef), "debian@sha512:" + strings.Repeat("ab", 64),
			"reading address debian@sha512:" + strings.Repeat("ab", 57) + "…: its digest is none; " +
				"write sha256: and 64 hex digits after the @",
		},
		"a pin": {
			refusals(ParsePin), "ioc-simstage",
			"reading pin ioc-simstage: not an asset and a version; " +
				"write it as <asset> <version>, as in ioc-simstage 1.0.0",
		},
		"a pin's version": {refusals(ParsePin), "ioc-simstage R4-45", "R4-45: not a version; write 4.45"},
	} {
		require.EqualError(t, c.parse(c.in), c.want, name)
	}
}

// refusals returns the error of a parser alone.
func refusals[T any](parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		_, err := parse(s)
		return err
	}
}

// A text that is refused leaves nothing of what was there before.
func TestWhatIsRefusedIsNotKept(t *testing.T) {
	name, pin := Name("ioc-a"), Pin{"ioc-a", Version{"1.0"}}
	require.Error(t, name.UnmarshalText([]byte("A")))
	require.Empty(t, name)
	require.Error(t, pin.UnmarshalText([]byte("A 1.0")))
	require.True(t, pin.IsZero())
	b, err := pin.MarshalText()
	require.NoError(t, err)
	require.Empty(t, b, "no pin is no text")
}

// Names are listed as a person reads them; of a large site the first twenty.
func TestLists(t *testing.T) {
	require.Empty(t, List(nil))
	require.Equal(t, "a", List([]Name{"a"}))
	require.Equal(t, "b, a", List([]Name{"b", "a"}))
	many := Assets{}
	for _, letter := range "abcdefghijklmnopqrst" {
		many[Name(letter)] = Image
	}
	all := strings.Join(strings.Split("abcdefghijklmnopqrst", ""), ", ")
	_, err := many.Resolve("z/1.0")
	require.EqualError(t, err, "z/1.0: no asset z in this tree; assets are "+all+"; tag one of these")
	many["u"], many["v"] = Image, Beamline
	_, err = many.Resolve("z/1.0")
	require.EqualError(t, err, "z/1.0: no asset z in this tree; assets are "+all+", and 2 more; tag one of these")
	require.Equal(t, "sha256:abababababab", Digest(sum).Short())
	require.Equal(t, "sha256:a", Digest("sha256:a").Short(), "what is no digest is left as it is")
}
