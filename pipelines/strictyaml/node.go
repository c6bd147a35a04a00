package strictyaml

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// maxDepth is how deep a file's maps and lists may lie in each other.
const maxDepth = 32

// node is a piece of a file with the line it began on.
type node struct {
	line  int    // of its key, where it has one
	text  string // a scalar as it is written
	value any    // of a scalar: string, bool, json.Number or nil
	keys  []string
	by    map[string]*node // of a map; nil for all else
	items []*node          // of a list; never nil for one
	bad   bool             // a fault was already reported for it; what it holds is unknown
	meant map[string]bool  // keys of a map that other, unknown keys were taken for
}

// decimal is a number as JSON has it: YAML's other spellings (010, 0x10, 1_000)
// mean different things to different readers.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// builder turns a syntax tree into nodes and collects what is wrong with it.
type builder struct {
	file   string
	faults diag.Faults
}

// fault reports one thing that is wrong with the file.
func (b *builder) fault(line int, fix, format string, args ...any) {
	b.faults.Addf(b.file, line, fix, format, args...)
}

// bad reports a fault and returns the node that stands for what can't be known.
func (b *builder) bad(line int, fix, format string, args ...any) *node {
	b.fault(line, fix, format, args...)
	return &node{line: line, bad: true}
}

// build returns the node of n, which began on the given line.
func (b *builder) build(n ast.Node, line, depth int) *node {
	if depth > maxDepth {
		return b.bad(line, "write it flatter", "more than %d levels of nesting", maxDepth)
	}
	switch n := n.(type) {
	case nil:
		return &node{line: line}
	case *ast.MappingNode:
		return b.mapping(n.Values, line, depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, line, depth)
	case *ast.SequenceNode:
		return b.list(n, line, depth)
	case *ast.AnchorNode:
		b.fault(line, "remove it and write the value out where it is used", "anchors (&) are not read here")
		return b.build(n.Value, line, depth+1)
	case *ast.AliasNode:
		return b.bad(line, "write the value out", "aliases (*) are not read here")
	case *ast.TagNode:
		return b.bad(line, "remove it; put text in quotes", "type tags (!) are not read here")
	default:
		return b.scalar(n, line)
	}
}

// mapping returns the node of a map; of a key that is there twice the first stays.
func (b *builder) mapping(values []*ast.MappingValueNode, line, depth int) *node {
	m := &node{line: line, by: map[string]*node{}}
	for _, v := range values {
		key, begins, ok := b.key(v.Key)
		if !ok {
			continue
		}
		if first, twice := m.by[key]; twice {
			b.fault(begins, "keep one of the two", "key %s is already on line %d", quoted(key), first.line)
			continue
		}
		m.keys = append(m.keys, key)
		m.by[key] = b.build(v.Value, begins, depth+1)
	}
	return m
}

// key returns the text and the line of a map's key.
func (b *builder) key(k ast.MapKeyNode) (text string, line int, ok bool) {
	line = lineOf(k)
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, line, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return k.GetToken().Value, line, true
	case *ast.MergeKeyNode:
		b.fault(line, "write the keys out", "merge keys (<<) are not read here")
	default:
		b.fault(line, "write the key as plain text", "a key that is not plain text")
	}
	return "", line, false
}

// list returns the node of a list.
func (b *builder) list(n *ast.SequenceNode, line, depth int) *node {
	l := &node{line: line, items: []*node{}}
	for _, v := range n.Values {
		l.items = append(l.items, b.build(v, lineOf(v), depth+1))
	}
	return l
}

// scalar returns the node of a single value.
func (b *builder) scalar(n ast.Node, line int) *node {
	text := n.GetToken().Value
	s := &node{line: line, text: text}
	switch n := n.(type) {
	case *ast.NullNode:
	case *ast.StringNode:
		if t := n.GetToken(); t.Type == token.StringType && strings.Contains(strings.TrimSpace(t.Origin), "\t") {
			return b.bad(line, "write a space, or put the text in quotes", "a tab within text, which gets lost")
		}
		s.value, s.text = n.Value, n.Value
	case *ast.LiteralNode:
		s.value, s.text = n.Value.Value, n.Value.Value
	case *ast.BoolNode:
		s.value = n.Value
	case *ast.IntegerNode, *ast.FloatNode:
		if !decimal.MatchString(text) {
			return b.bad(
				line, "write it in plain decimal digits, or in quotes where it is text",
				"%s is a number that readers of YAML disagree about", clipped(text),
			)
		}
		number, ok := exact(text)
		if !ok {
			return b.bad(line, "write one of usual size", "the number %s is too big or too small", clipped(text))
		}
		s.value = number
	default:
		return b.bad(line, "write text, a number, true or false", "%s can't be read here", clipped(text))
	}
	return s
}

// exact returns a number as encoding/json has it, a whole one without point and
// exponent, which it would not take for an integer: 1.0 is 1. ok is false for one that
// no floating-point number is near, or that the validator can't hold.
func exact(text string) (number json.Number, ok bool) {
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return "", false
	}
	r, ok := new(big.Rat).SetString(text)
	if ok && r.IsInt() {
		text = r.Num().String()
	}
	return json.Number(text), ok
}

// lineOf returns the line a syntax node begins on: of a map that is its first
// key's, whose own token is the colon.
func lineOf(n ast.Node) int {
	switch v := n.(type) {
	case nil:
		return 0
	case *ast.MappingNode:
		if len(v.Values) > 0 {
			return lineOf(v.Values[0])
		}
	case *ast.MappingValueNode:
		return lineOf(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// plain returns what a node holds as encoding/json has it.
func (n *node) plain() any {
	switch {
	case n.by != nil:
		m := make(map[string]any, len(n.by))
		for k, v := range n.by {
			m[k] = v.plain()
		}
		return m
	case n.items != nil:
		l := make([]any, len(n.items))
		for i, v := range n.items {
			l[i] = v.plain()
		}
		return l
	default:
		return n.value
	}
}
