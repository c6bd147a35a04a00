package strictyaml

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// lookup returns the part of a schema that a URL with a JSON pointer names; the
// name rules of a map where it names a map whose keys have rules.
func lookup(document map[string]any, url string) map[string]any {
	_, pointer, _ := strings.Cut(url, "#")
	var part any = document
	for _, step := range strings.Split(strings.Trim(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch whole := part.(type) {
		case map[string]any:
			if next, ok := whole[step]; ok {
				part = next
			}
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(whole) {
				part = whole[i]
			}
		}
	}
	rule, _ := part.(map[string]any)
	return rule
}

// child returns a part of a schema by its keys.
func child(rule map[string]any, keys ...string) (map[string]any, bool) {
	for _, k := range keys {
		next, ok := rule[k].(map[string]any)
		if !ok {
			return nil, false
		}
		rule = next
	}
	return rule, true
}

// properties returns the keys that a part of a schema allows.
func properties(rule map[string]any) iter.Seq[string] {
	p, _ := child(rule, "properties")
	return maps.Keys(p)
}

// example returns a schema's first example as it would be written in YAML; empty
// when it has none.
func example(rule map[string]any) string {
	list, _ := rule["examples"].([]any)
	if len(list) == 0 {
		return ""
	}
	switch e := list[0].(type) {
	case string:
		return e
	case json.Number:
		return e.String()
	default:
		text, err := json.Marshal(e)
		if err != nil {
			return ""
		}
		return string(text)
	}
}

// gist returns the first sentence of a schema's description as it reads within
// another sentence.
func gist(rule map[string]any) string {
	d, _ := rule["description"].(string)
	d, _, _ = strings.Cut(d, ". ")
	d = strings.TrimSuffix(d, ".")
	if len(d) > 1 && strings.ToUpper(d[1:2]) != d[1:2] || strings.HasPrefix(d, "A ") {
		d = strings.ToLower(d[:1]) + d[1:]
	}
	return d
}

// locate returns the node at a place of the validator's; nil when it was taken out.
func locate(root *node, place []string) *node {
	n := root
	for _, p := range place {
		if n = n.child(p); n == nil || n.bad {
			return n
		}
	}
	return n
}

// drop takes a faulty value out, but leaves that it was written.
func (n *node) drop() {
	n.bad, n.value, n.by, n.items, n.keys = true, nil, nil, nil, nil
}

// named returns a place as people read it: keys with dots, without the indices
// of lists, for which the line number serves better.
func named(place []string) string {
	var keys []string
	for _, p := range place {
		if _, err := strconv.Atoi(p); err != nil {
			keys = append(keys, p)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return clipped(strings.Join(keys, ".")) + ": "
}

// what names a value by its type: `the number 5`.
func what(n *node) string {
	switch v := n.value.(type) {
	case string:
		return "the text " + quoted(v)
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return "the number " + clipped(v.String())
	}
	switch {
	case n.by != nil:
		return "keys with values"
	case n.items != nil:
		return "a list"
	}
	return "nothing"
}

// most is how many characters of a text of theirs people are shown.
const most = 60

// credentials are a user and password in a URL, also where the password has a slash
// that should have been escaped.
var credentials = regexp.MustCompile(`://\S*@`)

// discreet returns a text without the passwords that URLs in it may carry.
func discreet(s string) string { return credentials.ReplaceAllString(s, "://…@") }

// quoted returns a text in quotes, cut where it is too long for a message and
// without a password that it may carry.
func quoted(s string) string {
	s = discreet(s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

// printable returns a text with a mark in the place of each control character.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '�'
		}
		return r
	}, s)
}

// clipped makes a text fit into one line of a message: not too long, without
// control characters, and without a password that it may carry.
func clipped(s string) string {
	r := []rune(printable(discreet(s)))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}
