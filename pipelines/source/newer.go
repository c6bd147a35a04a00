package source

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Newer returns the newest tag of a module that is spelled as the ref that is
// wanted and comes after it; empty when there is none.
func (f Fetcher) Newer(ctx context.Context, w Wanted) (string, error) {
	if w.Ref.Ref == "" || commitHash.MatchString(w.Ref.Ref) {
		return "", nil
	}
	refs, err := f.refs(ctx, w)
	if err != nil {
		return "", err
	}
	if tag := newest(w.Ref.Ref, refs); tag != w.Ref.Ref {
		return tag, nil
	}
	return "", nil
}

// releaseTag is how modules of the field tag their releases: R4-45, R7.0.8.1,
// v1.2, 2-6-3.
var releaseTag = regexp.MustCompile(`^([A-Za-z]*)(\d+(?:[-._]\d+)*)$`)

// newest returns the tag that comes last among those spelled as tag is, or tag.
func newest(tag string, refs remoteRefs) string {
	letters, last, ok := parseRelease(tag)
	if !ok {
		return tag
	}
	best := tag
	for name := range refs {
		other, found := strings.CutPrefix(name, "refs/tags/")
		if !found {
			continue
		}
		if l, numbers, ok := parseRelease(other); ok && l == letters && slices.Compare(numbers, last) > 0 {
			best, last = other, numbers
		}
	}
	return best
}

// parseRelease reads a release's tag: its letters and its numbers.
func parseRelease(tag string) (letters string, numbers []int, ok bool) {
	m := releaseTag.FindStringSubmatch(tag)
	if m == nil {
		return "", nil, false
	}
	for _, text := range strings.FieldsFunc(m[2], func(r rune) bool { return strings.ContainsRune("-._", r) }) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return "", nil, false
		}
		numbers = append(numbers, n)
	}
	return m[1], numbers, true
}
