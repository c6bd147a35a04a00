package strictyaml_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// shelf has what thing has not: lists of text, and rules for whole maps.
type shelf struct {
	Mode  string          `json:"mode,omitempty" jsonschema:"enum=red,enum=green,enum=blue"`
	Ratio float64         `json:"ratio,omitempty" jsonschema:"minimum=0.5,exclusiveMaximum=2"`
	Names []name          `json:"names,omitempty" jsonschema:"uniqueItems=true,minItems=1"`
	Label string          `json:"label,omitempty" jsonschema:"minLength=2,maxLength=3"`
	Sizes map[string]int  `json:"sizes,omitempty" jsonschema:"maxProperties=1"`
	Parts map[string]part `json:"parts,omitempty"`
}

// Each rule has a sentence that names the value, and a mend.
func TestEveryRuleSaysWhatToDo(t *testing.T) {
	schema := strictyaml.New[shelf]("Shelf", "A shelf.")
	for text, want := range map[string]string{
		"mode: gren": `x.yaml:1: mode: "gren" is none of red, green, blue; did you mean "green"?`,
		"mode: violet": `x.yaml:1: mode: "violet" is none of red, green, blue; ` +
			"write red or green or blue",
		"mode: 5":               `x.yaml:1: mode: the number 5 where text belongs; put it in quotes: "5"`,
		"mode: [red]":           "x.yaml:1: mode: a list where text belongs; write text",
		"mode: {red: 1}":        "x.yaml:1: mode: keys with values where text belongs; write text, in quotes if it has a colon",
		"mode:":                 "x.yaml:1: mode: it has no value; give it one, or remove the key",
		"ratio: 0.1":            "x.yaml:1: ratio: 0.1 is less than 1/2; write 1/2 or more",
		"ratio: yes":            `x.yaml:1: ratio: the text "yes" where a number belongs; write digits, without quotes or unit`,
		"names: stage":          `x.yaml:1: names: the text "stage" where a list belongs; write it as a list: [stage]`,
		"names: []":             "x.yaml:1: names: the list is empty; add one at least",
		"names:\n- a\n- b\n- a": `x.yaml:4: names: "a" is there twice; remove one`,
		"names: [A, 5]": `x.yaml:1: names: "A" is not a legal name; write it as in stage` + "\n" +
			`x.yaml:1: names: the number 5 where text belongs; put it in quotes: "5"`,
		"label: ''": "x.yaml:1: label: it is empty; see the schema of this file",
		"label: ü":  `x.yaml:1: label: "ü" has 1 of 2 letters at least; see the schema of this file`,
		"sizes: {a: big}": `x.yaml:1: sizes.a: the text "big" where a whole number belongs; ` +
			"write digits, without quotes or unit",
		"parts:\n  a: {wieght: 1}":   `x.yaml:2: parts.a: unknown key "wieght"; did you mean "weight"?`,
		"parts:\n  a: {colour: red}": `x.yaml:2: parts.a: the key "weight" is missing; add weight: 1.5 (in kg)`,
		"parts:\n  a: {weight: 0}":   "x.yaml:2: parts.a.weight: 0 is not more than 0; write more than 0",
	} {
		_, _, err := schema.Read("x.yaml", []byte(text+"\n"))
		assert.EqualError(t, err, want, text)
	}
	_, _, err := schema.Read("x.yaml", []byte("label: long\n"))
	assert.ErrorContains(t, err, "x.yaml:1: label: ", "a rule without a sentence of its own is told all the same")
	assert.ErrorContains(t, err, "see the schema of this file")
}

// A password in a URL, and what would change a terminal, is in no message.
func TestMessagesKeepSecretsAndTerminals(t *testing.T) {
	schema := strictyaml.New[shelf]("Shelf", "A shelf.")
	_, _, err := schema.Read("x.yaml", []byte("mode: https://ada:secret@git.example.org/x\nratio: \"\\e[2J\"\n"))
	require.ErrorContains(t, err, "https://…@git.example.org/x")
	require.NotContains(t, err.Error(), "secret")
	require.NotContains(t, err.Error(), "\x1b")
	for _, text := range []string{
		"names: https://ada:secret@git.example.org/x\n", "sizes: {\"https://ada:secret@h\": x}\n",
		"mode: https://ada:se/secret/ret@git.example.org/x\n", "\"https://ada:secret@h\": x\n",
		"parts: {a: {colour: https://ada:secret@h}}\n",
	} {
		_, _, err := schema.Read("x.yaml", []byte(text))
		require.ErrorContains(t, err, "://…@", text)
		require.NotContains(t, err.Error(), "secret", text)
	}
	_, doc, err := schema.Read("x.yaml", []byte("mode: red\n"))
	require.NoError(t, err)
	fault := doc.Faultf(strictyaml.Path{"mode"}, "write https://ada:secret@h", "%q is gone", "https://ada:secret@h")
	require.EqualError(t, fault, `x.yaml:1: "https://…@h" is gone; write https://…@h`)
}

// What another reader refused has its place in the file, and keeps what it said.
func TestAtPlacesWhatAnotherReaderRefused(t *testing.T) {
	schema := strictyaml.New[shelf]("Shelf", "A shelf.")
	_, doc, err := schema.Read("x.yaml", []byte("mode: red\nlabel: xx\n"))
	require.NoError(t, err)
	require.EqualError(t, doc.At(strictyaml.Path{"label"}, errors.New("too short")), "x.yaml:2: too short")
	refused := &diag.Error{Kind: diag.Broken, File: "y.yaml", Err: errors.New("too short"), Fix: "write more"}
	at := doc.At(strictyaml.Path{"label"}, refused)
	require.EqualError(t, at, "x.yaml:2: too short; write more")
	require.Equal(t, diag.Invalid, at.Kind)
	require.Equal(t, "y.yaml", refused.File, "the other's error stays as it is")
}

func TestMeantIsTheNameThatIsNear(t *testing.T) {
	names := []string{"BL01T-MO-IOC-01", "BL01T-VA-IOC-01"}
	require.Equal(t, `did you mean "BL01T-MO-IOC-01"?`, strictyaml.Meant("BL01T-M0-IOC-01", names, "name one"))
	require.Equal(t, "name one", strictyaml.Meant("temperature", names, "name one"))
}
