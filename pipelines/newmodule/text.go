package newmodule

import (
	"fmt"
	"strings"
	"unicode"
)

// Text returns the recipe as its file holds it, each line with its evidence as a
// comment; what nobody has answered stands at the end. schema is the URL of the
// file's schema, for editors; it may be empty.
func (r *Recipe) Text(schema string) string {
	var w strings.Builder
	if schema != "" {
		fmt.Fprintf(&w, "# yaml-language-server: $schema=%s\n", schema)
	}
	fmt.Fprintf(&w, "# Written by %s; the comment behind a line says where it is from.\n", oneLine(r.By))
	if r.Proof != "" {
		fmt.Fprintf(&w, "# Proof: %s.\n", oneLine(r.Proof))
	}
	fmt.Fprintf(&w, "git: %s\n", scalar(r.Git))
	list(&w, "submodules", r.Submodules)
	list(&w, "patches", r.Patches)
	line(&w, "macro", r.Macro)
	list(&w, "needs", r.Needs)
	list(&w, "packages", r.Packages)
	list(&w, "config", r.Config)
	list(&w, "skip", r.Skip)
	line(&w, "licence", r.Licence)
	list(&w, "dbds", r.DBDs)
	list(&w, "libs", r.Libs)
	list(&w, "files", r.Files)
	for _, f := range r.Without {
		fmt.Fprintf(&w, "# Without %s: %s.\n", oneLine(f.Value), oneLine(f.Why))
	}
	for _, q := range r.Open {
		fmt.Fprintf(&w, "# TODO %s\n", clean(q.String()))
	}
	return w.String()
}

// String returns the question, and what is done without an answer.
func (q Question) String() string { return fmt.Sprintf("%s: %s Until then %s.", q.Of, q.Text, q.Else) }

// line writes a key with a value, nothing where that is empty.
func line(w *strings.Builder, key string, f Fact) {
	if f.Value != "" {
		fmt.Fprintf(w, "%s: %s # %s\n", key, scalar(f.Value), oneLine(f.Why))
	}
}

// list writes a key with a list, nothing where that is empty.
func list(w *strings.Builder, key string, items []Fact) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", key)
	for _, f := range items {
		fmt.Fprintf(w, "  - %s # %s\n", scalar(f.Value), oneLine(f.Why))
	}
}

// scalar writes a value so that YAML reads it as text.
func scalar(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("/_", r)
	}
	for i, r := range value {
		digit := r >= '0' && r <= '9'
		if !plain(r) && (i == 0 || !digit && !strings.ContainsRune(".-+:", r)) {
			return quoted(value)
		}
	}
	if value == "" || strings.HasSuffix(value, ":") || words[strings.ToLower(value)] {
		return quoted(value)
	}
	return value
}

// words are those that YAML takes for something else than text.
var words = map[string]bool{
	"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "null": true, "y": true, "n": true,
}

// quoted writes a value between quotes.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean(value)) + `"`
}

// longest is how many bytes of evidence are written.
const longest = 160

// oneLine makes a text fit behind a value.
func oneLine(text string) string {
	text = clean(text)
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// clean takes out what ends a line, or what YAML refuses: the text may be upstream's.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
}
