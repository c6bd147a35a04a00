// Package text compares two texts.
package text

import (
	"bytes"
	"strings"
	"unicode/utf8"

	gitdiff "github.com/go-git/go-git/v5/utils/diff"
	"github.com/sergi/go-diff/diffmatchpatch"
)

// longest is the size in bytes of both together past which lines are not shown.
const longest = 1 << 20

// Lines returns the lines that differ between two texts, in their order: "-old"
// and "+new". There are none for what is not text, or too long to read.
func Lines(a, b []byte) (list []string) {
	if !utf8.Valid(a) || !utf8.Valid(b) || bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0 ||
		len(a)+len(b) > longest {
		return nil
	}
	for _, d := range gitdiff.Do(string(a), string(b)) {
		sign := "+"
		switch d.Type {
		case diffmatchpatch.DiffEqual:
			continue
		case diffmatchpatch.DiffDelete:
			sign = "-"
		}
		for l := range strings.Lines(d.Text) {
			list = append(list, sign+strings.TrimRight(l, "\r\n"))
		}
	}
	return list
}
