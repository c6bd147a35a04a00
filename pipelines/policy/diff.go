package policy

import (
	"strings"

	gitdiff "github.com/go-git/go-git/v5/utils/diff"
	"github.com/sergi/go-diff/diffmatchpatch"
)

// Diff returns the lines that differ between two texts of a policy: "-old" and
// "+new".
func Diff(from, to string) (lines []string) {
	for _, d := range gitdiff.Do(from, to) {
		sign := map[diffmatchpatch.Operation]string{diffmatchpatch.DiffDelete: "-", diffmatchpatch.DiffInsert: "+"}[d.Type]
		if sign == "" {
			continue
		}
		for l := range strings.Lines(d.Text) {
			lines = append(lines, sign+strings.TrimRight(l, "\n"))
		}
	}
	return lines
}
