package strictyaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// MaxBytes is the size past which a file is refused unread: what people write
// by hand is far below it.
const MaxBytes = 64 << 10

// maxFaults is how many faults of one file are reported in one run.
const maxFaults = 100

// Read reads one file; file is its name in messages, from the repository's
// root. The error joins every fault, a *diag.Error each, in the order of lines.
//
// Where the text is YAML at all, the value and the Doc are there even when
// there are faults, without the parts that are at fault, so that checks of the
// rest can be reported at the same time (ask Doc.Has whether a missing part
// was written); otherwise both are nil.
func (s *Schema[T]) Read(file string, data []byte) (*T, *Doc, error) {
	b := &builder{file: file}
	root := b.parse(data)
	if root == nil {
		return nil, nil, b.err()
	}
	if err := s.compiled.Validate(root.plain()); err != nil {
		var v *jsonschema.ValidationError
		if errors.As(err, &v) {
			s.explain(b, root, v)
		}
	}
	value, err := decode[T](root)
	if err != nil && len(b.faults) == 0 { // else a number out of its range was told already
		b.fault(0, "see the schema of this file", "%s", clipped(err.Error()))
	}
	return value, &Doc{file: file, root: root}, b.err()
}

// parse returns the top of the file, nil when it can't be read as one YAML map.
func (b *builder) parse(data []byte) (root *node) {
	// The parser is not ours; should some text make it panic, that text is at fault.
	defer func() {
		if recover() != nil {
			b.fault(1, "simplify it", "this can't be read as YAML")
			root = nil
		}
	}()
	if !b.readable(data) {
		return nil
	}
	f, err := parser.ParseBytes(unixLines(data), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		b.syntax(err)
		return nil
	}
	body := b.body(f)
	if body == nil {
		return nil
	}
	root = b.build(body, lineOf(body), 0)
	if root.by == nil && !root.bad {
		b.fault(root.line, `write it as "key: value" lines`, "the file is %s where keys with values belong", what(root))
	}
	if root.by == nil {
		return nil
	}
	root.line = 1
	return root
}

// unixLines returns a text without the mark that Windows puts before UTF-8, and with a
// line feed at the end of each line, which is what YAML makes of other ends: the parser
// counts a blank line twice that ends with a carriage return too.
func unixLines(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
}

// readable reports whether the bytes are small and plain enough to parse.
func (b *builder) readable(data []byte) bool {
	if len(data) > MaxBytes {
		b.fault(0, "split it or move data elsewhere", "the file has %d bytes, more than %d", len(data), MaxBytes)
		return false
	}
	lines := bytes.Split(unixLines(data), []byte("\n"))
	for _, u := range unreadable {
		if i := slices.IndexFunc(lines, u.line); i >= 0 {
			b.fault(i+1, u.fix, "%s", u.text)
			return false
		}
	}
	if deep(data) {
		b.fault(0, "write it flatter", "too many brackets are open at once")
		return false
	}
	return true
}

// mostOpen is how many lists and maps may be open at once for the parser, which spends
// the square of it on them: far more than maxDepth, as brackets in text count too.
const mostOpen = 1024

// unreadable are lines that no parser is given.
var unreadable = []struct {
	line      func([]byte) bool
	text, fix string
}{
	{func(line []byte) bool { return !utf8.Valid(line) }, "the text is not UTF-8", "save the file as UTF-8"},
	{
		func(line []byte) bool { return bytes.ContainsFunc(line, notOfYAML) },
		"a control character is in this line, which YAML does not have", "remove it",
	},
	{
		func(line []byte) bool { return bytes.HasPrefix(line, []byte("<<<<<<< ")) },
		"a merge of git left a conflict here", "keep what is right of the two, and remove the marks",
	},
	{
		func(line []byte) bool { return bytes.Count(line, []byte("- ")) > mostOpen },
		"too many lists begin in this line", "write it flatter",
	},
}

// notOfYAML reports whether a character may not stand in YAML but escaped:
// https://yaml.org/spec/1.2.2/#51-character-set
func notOfYAML(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\u0085' }

// syntax reports what the parser said.
func (b *builder) syntax(err error) {
	var s yaml.Error
	if !errors.As(err, &s) || s.GetToken() == nil || s.GetToken().Position == nil {
		b.fault(0, "correct the YAML", "this is not YAML: %s", clipped(err.Error()))
		return
	}
	line, message := s.GetToken().Position.Line, s.GetMessage()
	fix := "correct the YAML"
	switch {
	case strings.Contains(message, "'\t'"):
		fix, message = "indent with spaces", "a tab where spaces belong"
	case strings.Contains(message, "escape character"): // of a Windows path, most likely
		fix = `write \\ for a backslash between double quotes, or take single quotes`
	}
	b.fault(line, fix, "this is not YAML: %s", clipped(message))
}

// body returns the one document of a file; nil when there is none, or several.
func (b *builder) body(f *ast.File) ast.Node {
	var bodies []ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.DirectiveType || d.Body.Type() == ast.CommentType {
			continue
		}
		bodies = append(bodies, d.Body)
	}
	switch len(bodies) {
	case 0:
		b.fault(1, "write its keys, or remove it", "the file is empty")
		return nil
	case 1:
		return bodies[0]
	}
	b.fault(lineOf(bodies[1]), "put it into a file of its own", "a second YAML document begins here")
	return nil
}

// err joins the faults by line, the first of them where there are very many.
func (b *builder) err() error {
	slices.SortStableFunc(b.faults, func(x, y *diag.Error) int { return x.Line - y.Line })
	if more := len(b.faults) - maxFaults; more > 0 {
		last := b.faults[maxFaults-1]
		b.faults = b.faults[:maxFaults]
		b.fault(last.Line, "mend these first", "%d more faults follow", more)
	}
	return b.faults.Err()
}

// decode fills a T from what is left after the faulty parts were taken out.
func decode[T any](root *node) (*T, error) {
	text, err := json.Marshal(root.plain())
	if err != nil {
		return nil, err
	}
	value := new(T)
	return value, json.Unmarshal(text, value)
}

// deep reports whether so many brackets are open at once that the parser would
// spend its time on them; brackets in text count too, which nobody's file minds.
func deep(data []byte) bool {
	open := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			if open++; open > mostOpen {
				return true
			}
		case ']', '}':
			open = max(0, open-1)
		}
	}
	return false
}
