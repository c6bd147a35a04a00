package strictyaml

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Doc is a file that was read: it knows the lines, for checks that only
// somebody above this package can make.
type Doc struct {
	file string
	root *node
}

// Path leads to a piece of a file: string keys of maps and int indices of
// lists (from 0), as in Path{"smoke", "checks", 0, "pv"}.
type Path []any

// Line returns the line (from 1) of the piece at path: its key's, or its own in
// a list. Where the path ends early, it is the line of the last piece there is.
func (d *Doc) Line(path ...any) int {
	n, _ := d.find(path)
	return n.line
}

// Has reports whether the file has the piece at path, whatever it holds.
func (d *Doc) Has(path ...any) bool {
	_, ok := d.find(path)
	return ok
}

// Keys returns the keys of the map at path in the file's order; none where there
// is no map.
func (d *Doc) Keys(path ...any) []string {
	n, ok := d.find(path)
	if !ok {
		return nil
	}
	return n.keys
}

// Faultf returns the fault of the piece at path, with its line and the fix. A
// control character of the file does not reach a terminal, nor does a password in a URL.
func (d *Doc) Faultf(path Path, fix, format string, args ...any) *diag.Error {
	shown := func(text string) string { return printable(discreet(text)) }
	fault := diag.Invalidf(d.file, d.Line(path...), shown(fix), format, args...)
	if text := fault.Err.Error(); shown(text) != text {
		fault.Err = errors.New(shown(text))
	}
	return fault
}

// At is err as a fault of the piece at path: what another reader refused, with
// its line here. A *diag.Error keeps all but its place and its kind.
func (d *Doc) At(path Path, err error) *diag.Error {
	var fault diag.Error
	if e := (*diag.Error)(nil); errors.As(err, &e) {
		fault = *e
	} else {
		fault.Err = err
	}
	fault.Kind, fault.File, fault.Line = diag.Invalid, d.file, d.Line(path...)
	return &fault
}

// find returns the piece at path, or the last piece on the way and false.
func (d *Doc) find(path []any) (*node, bool) {
	n := d.root
	for _, p := range path {
		key, ok := p.(string)
		if !ok {
			key = fmt.Sprint(p)
		}
		next := n.child(key)
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// child returns the piece of a map by key or of a list by its index in decimal;
// nil when there is none.
func (n *node) child(key string) *node {
	if n.by != nil {
		return n.by[key]
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}

// Good reports whether the piece at path is there and of the right type; a value
// that breaks another rule (a pattern, a least value) is good here.
func (d *Doc) Good(path ...any) bool {
	n, ok := d.find(path)
	return ok && !n.bad
}
