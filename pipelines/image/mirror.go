// Package image describes how a recipe becomes its developer and runtime
// containers. Describing is free; the engine builds when a result is asked for.
package image

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Mirrors maps prefixes of source URLs to where a site keeps copies:
// "https://github.com/" → "https://gitlab.example.org/mirrors/". Recipes keep
// the public URL.
type Mirrors map[string]string

// ParseMirrors reads "prefix=mirror" items; both end in "/".
func ParseMirrors(items []string) (Mirrors, error) {
	m := Mirrors{}
	for _, item := range items {
		from, to, ok := strings.Cut(item, "=")
		if !ok || !strings.HasSuffix(from, "/") || !strings.HasSuffix(to, "/") {
			return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading mirror " + item, Err: fmt.Errorf("not two URL prefixes"), Fix: "write it as https://github.com/=https://git.example.org/mirrors/"}
		}
		m[from] = to
	}
	return m, nil
}

// Of gives where to fetch url from: its mirror by the longest prefix, or url
// itself.
func (m Mirrors) Of(url string) string {
	for _, from := range m.prefixes() {
		if rest, ok := strings.CutPrefix(url, from); ok {
			return m[from] + rest
		}
	}
	return url
}

// sameHost gives the mirrors of the hosts that urls name. What is fetched, and
// so what is built from it, does not depend on the mirrors of others.
func (m Mirrors) sameHost(urls ...string) Mirrors {
	few := Mirrors{}
	for from, to := range m {
		if slices.ContainsFunc(urls, func(u string) bool { return host(u) == host(from) }) {
			few[from] = to
		}
	}
	return few
}

// host is the host of a URL with its scheme; a relative one has none.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// prefixes gives the mapped prefixes, the longest first.
func (m Mirrors) prefixes() []string {
	var all []string
	for from := range m {
		all = append(all, from)
	}
	sort.Slice(all, func(i, j int) bool {
		return len(all[i]) > len(all[j]) || len(all[i]) == len(all[j]) && all[i] < all[j]
	})
	return all
}
