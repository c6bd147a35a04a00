package image

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Newer gives, for the support modules of img that are built at a release's
// tag, the newest tag of the same spelling that comes after it.
func (b Builder) Newer(ctx context.Context, img *recipe.Image) ([]recipe.Drift, error) {
	var all []recipe.Drift
	for _, ref := range b.Tree.Order(img) {
		if ref.Ref == "" || commitHash.MatchString(ref.Ref) {
			continue
		}
		refs, err := b.remote(ctx, img, ref)
		if err != nil {
			return nil, err
		}
		if tag := newest(ref.Ref, refs); tag != ref.Ref {
			all = append(all, recipe.Drift{Image: img.Name, Pin: ref.Name, Locked: ref.Ref, Now: tag})
		}
	}
	return all, nil
}

// releaseTag is how modules of the field tag their releases: R4-45, R7.0.8.1,
// v1.2, 2-6-3.
var releaseTag = regexp.MustCompile(`^([A-Za-z]*)(\d+(?:[-._]\d+)*)$`)

// newest gives the tag that comes last among those spelled as tag is, or tag.
func newest(tag string, refs remoteRefs) string {
	letters, last, ok := release(tag)
	if !ok {
		return tag
	}
	best := tag
	for name := range refs {
		other, found := strings.CutPrefix(name, "refs/tags/")
		if !found {
			continue
		}
		if l, numbers, ok := release(other); ok && l == letters && slices.Compare(numbers, last) > 0 {
			best, last = other, numbers
		}
	}
	return best
}

// release reads a release's tag: its letters and its numbers.
func release(tag string) (letters string, numbers []int, ok bool) {
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
