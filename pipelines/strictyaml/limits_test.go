package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// anything holds whatever YAML has.
type anything struct {
	X any `json:"x"`
}

// A file as large, as deep and as faulty as may be is read; one that is more so by one is
// refused.
func TestReadAtItsLimits(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	whole := func(size int) []byte {
		const text = "name: x\n#"
		return []byte(text + strings.Repeat("-", size-len(text)))
	}
	_, _, err := schema.Read("thing.yaml", whole(strictyaml.MaxBytes))
	require.NoError(t, err)
	_, _, err = schema.Read("thing.yaml", whole(strictyaml.MaxBytes+1))
	require.EqualError(t, err,
		"thing.yaml: the file has 65537 bytes, more than 65536; split it or move data elsewhere")

	many := func(faults int) []error {
		_, _, err := schema.Read("thing.yaml", []byte("name: stage\n"+strings.Repeat("name: x\n", faults)))
		return diag.All(err)
	}
	require.Len(t, many(100), 100)
	assert.EqualError(t, many(101)[100], "thing.yaml:101: 1 more faults follow; mend these first")

	brackets := func(open int) error {
		text := "name: x\ntags: {a: '" + strings.Repeat("[", open) + strings.Repeat("]", open) + "'}\n"
		_, _, err := schema.Read("thing.yaml", []byte(text))
		return err
	}
	require.NoError(t, brackets(1023), "with that of the map")
	require.EqualError(t, brackets(1024), "thing.yaml: too many brackets are open at once; write it flatter")
	_, _, err = schema.Read("thing.yaml", []byte("name: x\ntags: {a: '"+strings.Repeat("[]", 5000)+"'}\n"))
	require.NoError(t, err, "what is closed again is not open")

	nested := strictyaml.New[anything]("Anything", "Anything.")
	for name, deep := range map[string]func(levels int) string{
		"lists":        func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) },
		"maps":         func(n int) string { return strings.Repeat("{a: ", n) + "b" + strings.Repeat("}", n) },
		"lists of one": func(n int) string { return "\n" + strings.Repeat("- ", n) + "b" },
	} {
		last := 32 // of the levels that there may be below x
		if name == "maps" || name == "lists of one" {
			last = 31 // and a value
		}
		_, _, err := nested.Read("x.yaml", []byte("x: "+deep(last)+"\n"))
		require.NoError(t, err, name)
		_, _, err = nested.Read("x.yaml", []byte("x: "+deep(last+1)+"\n"))
		require.ErrorContains(t, err, ": more than 32 levels of nesting; write it flatter", name)
		require.Len(t, diag.All(err), 1, name)
	}
}

// hostile are texts of TestReadHostileText.
var hostile = map[string]struct{ text, want string }{
	"brackets": {
		"x: " + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000),
		"x.yaml: too many brackets are open at once; write it flatter",
	},
	"braces": {
		"x: " + strings.Repeat("{a: ", 10_000) + strings.Repeat("}", 10_000),
		"x.yaml: too many brackets are open at once; write it flatter",
	},
	"lists in lists": {
		strings.Repeat("- ", 30_000),
		"x.yaml:1: too many lists begin in this line; write it flatter",
	},
	"lists below x": {
		"x:\n" + strings.Repeat("- ", 30_000),
		"x.yaml:2: too many lists begin in this line; write it flatter",
	},
	"questions":    {strings.Repeat("? ", 30_000), "x.yaml:1: this is not YAML"},
	"keys in keys": {strings.Repeat("a: ", 20_000), "x.yaml:1: this is not YAML"},
	"tags":         {"x: " + strings.Repeat("!a ", 20_000), "x.yaml:1: this is not YAML"},
	"anchors":      {"x: " + strings.Repeat("&a ", 20_000), "x.yaml:1: this is not YAML"},
	"aliases":      {"x: [" + strings.Repeat("*a, ", 15_000) + "]", "x.yaml:1: aliases (*)"},
	"documents":    {strings.Repeat("---\n", 16_000), "x.yaml:1: the file is empty"},
	"quotes":       {"x: " + strings.Repeat("'", 60_001), "x.yaml:1: this is not YAML"},
	"a long key":   {strings.Repeat("a", 60_000) + ": 1", "x.yaml:1: unknown key \"aaa"},
	"a long line":  {"x: 'a" + strings.Repeat(" a", 30_000), "x.yaml:1: this is not YAML"},
	"colons":       {"x: " + strings.Repeat(":", 60_000) + ":", "x.yaml:1: this is not YAML"},
	"blocks":       {strings.Repeat("x: |\n", 10_000), "x.yaml:2: key \"x\" is already"},
	"a step each":  {"x:\n" + steps(300), "x.yaml:33: more than 32 levels"},
	"many keys":    {"x:\n" + strings.Repeat(" a: 1\n", 9_000), "x.yaml:3: key \"a\" is already on line 2"},
	"zero bytes": {
		"x: " + strings.Repeat("\x00", 60_000),
		"x.yaml:1: a control character is in this line, which YAML does not have; remove it",
	},
	"digits":           {"x: 0" + strings.Repeat("9", 60_000), ""},
	"a huge exponent":  {"x: 1.0e" + strings.Repeat("9", 60_000), ""},
	"merge keys":       {"x: {" + strings.Repeat("<<: {}, ", 8_000) + "}", "x.yaml:1: merge keys"},
	"comments":         {strings.Repeat("#\n", 30_000), "x.yaml:1: the file is empty"},
	"carriage returns": {"x: [" + strings.Repeat("\r", 60_000), "x.yaml:1: this is not YAML"},
	"separators":       {"x: [" + strings.Repeat("\u2028", 20_000), "x.yaml:1: this is not YAML"},
	"directives":       {strings.Repeat("%YAML 1.2\n", 6_000), "x.yaml:1: this is not YAML"},
	"marks of a merge": {
		"y: 0\n<<<<<<< HEAD\nx: 1\n=======\nx: 2\n>>>>>>> main\n",
		"x.yaml:2: a merge of git left a conflict here; keep what is right of the two, and remove the marks",
	},
	"a mark in between": {"x: 1\n\ufeffy: 2\n", "x.yaml:2: unknown key"},
}

// What is made to keep a parser busy, or to fill its stack, is refused like anything else.
func TestReadHostileText(t *testing.T) {
	schema := strictyaml.New[anything]("Anything", "Anything.")
	for name, c := range hostile {
		_, _, err := schema.Read("x.yaml", []byte(c.text))
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
		for _, fault := range diag.All(err) {
			assert.Less(t, len(fault.Error()), 1000, name)
			assert.Equal(t, diag.Invalid, diag.KindOf(fault), name)
		}
		assert.LessOrEqual(t, len(diag.All(err)), 101, name)
	}
}

// steps returns n maps in each other, each on a line of its own.
func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// A key that is missing is shown with what it is for, as part of the sentence.
func TestWhatIsMissingIsExplained(t *testing.T) {
	type file struct {
		One   string            `json:"one" jsonschema_description:"PVs that it serves. Others it does not."`
		Two   string            `json:"two" jsonschema_description:"A name of its own"`
		Three string            `json:"three" jsonschema_description:"X."`
		Four  int               `json:"four" jsonschema:"example=5" jsonschema_description:"Seconds it may take."`
		Five  []string          `json:"five" jsonschema:"example=a"`
		Six   map[string]string `json:"six"`
	}
	_, _, err := strictyaml.New[file]("File", "A file.").Read("x.yaml", []byte("{}\n"))
	require.EqualError(t, err, `x.yaml:1: the key "one" is missing; add one (PVs that it serves)
x.yaml:1: the key "two" is missing; add two (a name of its own)
x.yaml:1: the key "three" is missing; add three (X)
x.yaml:1: the key "four" is missing; add four: 5 (seconds it may take)
x.yaml:1: the key "five" is missing; add five
x.yaml:1: the key "six" is missing; add six`)
}

// A word is near another where a letter is missing, wrong or exchanged with its neighbour,
// and not where the one that was exchanged is another.
func TestNearness(t *testing.T) {
	for _, c := range []struct{ got, word, want string }{
		{"abc", "bac", "bac"}, {"abc", "bxc", ""}, {"abc", "axb", ""}, {"abc", "abd", "abd"}, {"ab", "ac", ""},
		{"abcdef", "abcxyf", "abcxyf"}, {"abcdef", "abxyzf", ""},
		{"prüfe", "prufe", "prufe"}, {"PRÜFE", "prüfe", "prüfe"},
		{strings.Repeat("a", 64), strings.Repeat("a", 63), strings.Repeat("a", 63)},
		{strings.Repeat("a", 65), strings.Repeat("a", 64), ""},
		{"Abc", "bc", "bc"}, {"someNetwrok", "network", "network"}, {"Netwrok", "network", "network"},
	} {
		require.Equal(t, c.want, strictyaml.Near(c.got, []string{"-", c.word}), c.got)
	}
	require.Equal(t, "abd", strictyaml.Near("abc", []string{"abd", "abe"}), "the first of two that are as near")
	require.Equal(t, "abcdex", strictyaml.Near("abcdef", []string{"abcxyf", "abcdex"}), "the nearest")
	require.Equal(t, "ABC", strictyaml.Near("abc", []string{"abd", "ABC"}), "one that differs in case before")
	require.Empty(t, strictyaml.Near("abc", nil))
}
