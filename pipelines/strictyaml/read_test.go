package strictyaml_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// thing has one field of every kind that people's files have.
type thing struct {
	Name  name              `json:"name" jsonschema_description:"What it is called. In lower case."`
	Size  int               `json:"size,omitempty" jsonschema:"minimum=1,maximum=100"`
	Heavy bool              `json:"heavy,omitempty"`
	Tags  map[string]string `json:"tags,omitempty"`
	Parts []part            `json:"parts,omitempty" jsonschema:"minItems=1"`
	Note  *string           `json:"note,omitempty"`
}

type part struct {
	Weight *float64 `json:"weight" jsonschema:"exclusiveMinimum=0,example=1.5" jsonschema_description:"In kg."`
	Colour string   `json:"colour,omitempty" jsonschema:"enum=red,enum=green"`
}

type name string

func (name) JSONSchema() *jsonschema.Schema { return strictyaml.Text("name", "^[a-z]+$", "stage") }

const good = `# A comment.
name: stage
size: 3 # mm
heavy: true
tags:
  a: "1"
  b: |
    two
    lines
parts:
  - weight: 1.5
    colour: red
  - {weight: 2}
note: ""
`

func TestReadGood(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	got, doc, err := schema.Read("thing.yaml", []byte(good))
	require.NoError(t, err)
	light, heavy, note := 1.5, 2.0, ""
	assert.Equal(t, &thing{
		Name: "stage", Size: 3, Heavy: true, Tags: map[string]string{"a": "1", "b": "two\nlines\n"},
		Parts: []part{{&light, "red"}, {&heavy, ""}}, Note: &note,
	}, got)
	assert.Equal(t, 2, doc.Line("name"))
	assert.Equal(t, 7, doc.Line("tags", "b"))
	assert.Equal(t, 11, doc.Line("parts", 0), "of its first key")
	assert.Equal(t, 12, doc.Line("parts", 0, "colour"))
	assert.Equal(t, 13, doc.Line("parts", 1, "colour"), "of what there is on the way")
	assert.Equal(t, 1, doc.Line())
	assert.Equal(t, []string{"a", "b"}, doc.Keys("tags"))
	assert.Empty(t, doc.Keys("name"))
	assert.Equal(t, []string{"name", "size", "heavy", "tags", "parts", "note"}, doc.Keys())
	assert.True(t, doc.Has("parts", 1))
	assert.False(t, doc.Has("parts", 2))
	assert.EqualError(
		t, doc.Faultf(strictyaml.Path{"parts", 1, "weight"}, "make it lighter", "it weighs %d kg", 2),
		"thing.yaml:13: it weighs 2 kg; make it lighter",
	)
}

// What is at fault is left out, and the rest is there for further checks.
func TestReadFaulty(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	got, doc, err := schema.Read(
		"thing.yaml", []byte("name: Stage\nsize: big\nparts: [{weight: 1}, 5]\ncolor: red\nheavy: &h true\n"),
	)
	assert.EqualError(t, err, `thing.yaml:1: name: "Stage" is not a legal name; write it as in stage
thing.yaml:2: size: the text "big" where a whole number belongs; write digits, without quotes or unit
thing.yaml:3: parts: the number 5 where keys with values belong; write it as "key: value" lines
thing.yaml:4: unknown key "color"; remove it; the keys here are heavy, name, note, parts, size, tags
thing.yaml:5: anchors (&) are not read here; remove it and write the value out where it is used`)
	one := 1.0
	assert.Equal(t, &thing{Name: "Stage", Heavy: true, Parts: []part{{Weight: &one}, {}}}, got)
	assert.True(t, doc.Has("size"), "it is written")
	assert.False(t, doc.Good("size"), "but of the wrong type")
	assert.True(t, doc.Good("name"))
	assert.False(t, doc.Has("color"), "it is nothing")
}

func TestReadUnreadable(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "thing.yaml:1: the file is empty; write its keys, or remove it"},
		{"comment", "# name: x\n", "thing.yaml:1: the file is empty; write its keys, or remove it"},
		{"list", "\n- name\n", `thing.yaml:2: the file is a list where keys with values belong; write it as "key: value" lines`},
		{"text", "name", `thing.yaml:1: the file is the text "name" where keys with values belong; write it as "key: value" lines`},
		{
			"tab", "name: x\ntags:\n\ta: b\n",
			"thing.yaml:3: this is not YAML: a tab where spaces belong; indent with spaces",
		},
		{
			"two", "name: x\n---\nname: y\n",
			"thing.yaml:3: a second YAML document begins here; put it into a file of its own",
		},
		{"latin", "name: x\n# gr\xfcn\n", "thing.yaml:2: the text is not UTF-8; save the file as UTF-8"},
		{
			"long", "name: " + strings.Repeat("x", strictyaml.MaxBytes),
			"thing.yaml: the file has 65542 bytes, more than 65536; split it or move data elsewhere",
		},
		{
			"deep", "tags: " + strings.Repeat("[", 10_000),
			"thing.yaml: too many brackets are open at once; write it flatter",
		},
		{
			"bomb", "name: &a x\ntags: *a\n",
			"thing.yaml:1: anchors (&) are not read here; remove it and write the value out where it is used\n" +
				"thing.yaml:2: aliases (*) are not read here; write the value out",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := schema.Read("thing.yaml", []byte(c.text))
			assert.EqualError(t, err, c.want)
		})
	}
}

// Of very many faults the first are reported, and how many more there are.
func TestReadManyFaults(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	_, _, err := schema.Read("thing.yaml", []byte("name: stage\n"+strings.Repeat("name: x\n", 150)))
	all := diag.All(err)
	require.Len(t, all, 101)
	assert.EqualError(t, all[99], `thing.yaml:101: key "name" is already on line 1; keep one of the two`)
	assert.EqualError(t, all[100], "thing.yaml:101: 50 more faults follow; mend these first")
}

// A mark that Windows puts before UTF-8, and its line ends, are nobody's fault: the
// values and the lines are those of the same file with others.
func TestReadWindows(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	const text = "name: stage\n\n# a comment\n\ntags:\n  a: |\n    two\n\n    lines\n  b: >\n    one\n    line\n" +
		"parts:\n\n  - weight: 1\n\n  - weight: 2\nsize: 3\n"
	want, lines, err := schema.Read("thing.yaml", []byte(text))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "two\n\nlines\n", "b": "one line\n"}, want.Tags)
	require.Equal(t, 18, lines.Line("size"))
	for name, end := range map[string]string{"Windows": "\r\n", "old Mac": "\r"} {
		got, doc, err := schema.Read("thing.yaml", []byte("\xef\xbb\xbf"+strings.ReplaceAll(text, "\n", end)))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
		for _, path := range []strictyaml.Path{
			{"name"}, {"tags", "a"}, {"tags", "b"}, {"parts", 0}, {"parts", 1, "weight"}, {"size"},
		} {
			assert.Equal(t, lines.Line(path...), doc.Line(path...), "%s: %v", name, path)
		}
	}
	_, _, err = schema.Read("thing.yaml", []byte("name: stage\r\n\r\n\r\nsize: [\r\n"))
	assert.ErrorContains(t, err, "thing.yaml:4: this is not YAML: ")
}

// What readers of YAML disagree about is text, a number as JSON has it, or refused;
// nothing becomes another value in silence.
func TestReadOddValues(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	const ambiguous = " is a number that readers of YAML disagree about; " +
		"write it in plain decimal digits, or in quotes where it is text"
	for value, want := range map[string]string{
		"7.0.8.1": "7.0.8.1", "yes": "yes", "No": "No", "on": "on", "y": "y", "08": "08", "1:30": "1:30",
		"2026-01-02": "2026-01-02", "12e4": "12e4", "123e999": "123e999", "=": "=", `C:\epics\db`: `C:\epics\db`,
		`'C:\epics\db'`: `C:\epics\db`, "'0123'": "0123", `"a\tb"`: "a\tb", "|\n    a\n    b": "a\nb\n",
		"0123": "! 0123" + ambiguous, "0o17": "! 0o17" + ambiguous, "0x1F": "! 0x1F" + ambiguous,
		"1_000": "! 1_000" + ambiguous, "+1": "! +1" + ambiguous, ".5": "! .5" + ambiguous, "1.": "! 1." + ambiguous,
		"4.10":   `! tags.a: the number 4.10 where text belongs; put it in quotes: "4.10"`,
		"1.0e+3": `! tags.a: the number 1000 where text belongs; put it in quotes: "1.0e+3"`,
		"TRUE":   `! tags.a: true where text belongs; put it in quotes: "TRUE"`,
		"Null":   "! tags.a: it has no value; give it one, or remove the key",
		"~":      "! tags.a: it has no value; give it one, or remove the key",
		`"C:\epics\db"`: "! this is not YAML: found unknown escape character 'd'; " +
			`write \\ for a backslash between double quotes, or take single quotes`,
		"a\tb":  "! a tab within text, which gets lost; write a space, or put the text in quotes",
		"\ta b": "a b", "a b\t": "a b", "a\t# b": "a", "'a\tb'": "a\tb", "\"a\tb\"": "a\tb", "|\n    a\tb": "a\tb\n",
		"*b": "! aliases (*) are not read here; write the value out",
		"!b": "! type tags (!) are not read here; remove it; put text in quotes",
	} {
		got, _, err := schema.Read("thing.yaml", []byte("name: stage\ntags:\n  a: "+value+"\n"))
		if fault, refused := strings.CutPrefix(want, "! "); refused {
			assert.EqualError(t, err, "thing.yaml:3: "+fault, value)
			continue
		}
		require.NoError(t, err, value)
		assert.Equal(t, want, got.Tags["a"], value)
	}
}

// A whole number is one however it is written; what no machine can hold is refused
// where it stands.
func TestReadNumbers(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	for value, want := range map[string]int{"3": 3, "3.0": 3, "1.0e+1": 10, "1.50e1": 15, "100": 100} {
		got, _, err := schema.Read("thing.yaml", []byte("name: stage\nsize: "+value+"\n"))
		require.NoError(t, err, value)
		assert.Equal(t, want, got.Size, value)
	}
	const whole = " where a whole number belongs; write digits, without quotes or unit"
	for value, want := range map[string]string{
		"1.5": "size: the number 1.5" + whole, "-0": "size: -0 is less than 1; write 1 or more",
		"101.0": "size: 101.0 is more than 100; write 100 or less", "1e1": `size: the text "1e1"` + whole,
		"99999999999999999999": `size: the text "99999999999999999999"` + whole,
		"1.0e-9999999":         "the number 1.0e-9999999 is too big or too small; write one of usual size",
		"1.0e300":              "size: 1.0e300 is more than 100; write 100 or less",
	} {
		_, _, err := schema.Read("thing.yaml", []byte("name: stage\nsize: "+value+"\n"))
		assert.EqualError(t, err, "thing.yaml:2: "+want, value)
	}
}

// A key is one key however it is quoted, and keys that differ in case are two.
func TestReadKeys(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	got, _, err := schema.Read("thing.yaml", []byte("\"name\": stage\ntags: {a: x, A: y, 1: z}\n"))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "x", "A": "y", "1": "z"}, got.Tags)
	for text, want := range map[string]string{
		"tags: {a: x, \"a\": y}": `key "a" is already on line 2; keep one of the two`,
		"tags: {1: x, \"1\": y}": `key "1" is already on line 2; keep one of the two`,
		"Name: other":            `unknown key "Name"; did you mean "name"?`,
		"\u00a0size: 3":          `unknown key "\u00a0size"; did you mean "size"?`,
		"? size\n: 3":            "a key that is not plain text; write the key as plain text",
		"&a size: 3":             "a key that is not plain text; write the key as plain text",
		"~: 3":                   "a key that is not plain text; write the key as plain text",
		"<<: {size: 3}":          "merge keys (<<) are not read here; write the keys out",
	} {
		got, _, err := schema.Read("thing.yaml", []byte("name: stage\n"+text+"\n"))
		assert.EqualError(t, err, "thing.yaml:2: "+want, text)
		assert.EqualValues(t, "stage", got.Name, text)
		assert.Zero(t, got.Size, text)
	}
}

func TestNear(t *testing.T) {
	words := []string{"packages", "modules", "ioc"}
	for got, want := range map[string]string{
		"pacakges": "packages", "package": "packages", "Modules": "modules", "IOC": "ioc", "oic": "ioc",
		"someModlues": "modules", "someThing": "",
		"x": "", "smoke": "", "": "", strings.Repeat("modules", 100): "",
	} {
		assert.Equal(t, want, strictyaml.Near(got, words), got)
	}
}

// The published schema is the one that files are read by.
func TestSchemaJSON(t *testing.T) {
	schema := strictyaml.New[thing]("Thing", "A thing.")
	var s map[string]any
	require.NoError(t, json.Unmarshal(schema.JSON(), &s))
	assert.Equal(t, "Thing", s["title"])
	assert.Equal(t, []any{"name"}, s["required"])
	assert.Equal(t, false, s["additionalProperties"])
	assert.Equal(t, schema.JSON(), strictyaml.New[thing]("Thing", "A thing.").JSON())
}
