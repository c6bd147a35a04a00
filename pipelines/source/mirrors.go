// Package source fetches the sources of support modules: from git at a pinned
// commit, through the site's mirrors, or from the tree.
package source

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
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
		if signedIn(from) || signedIn(to) {
			return nil, &diag.Error{
				Kind: diag.Invalid, Doing: "reading mirrors",
				Err: errors.New("one has a login in its URL, which logs would show"),
				Fix: "leave the login out of the URL, and give it in .netrc or TAGLINE_NETRC",
			}
		}
		if !ok || !strings.HasSuffix(from, "/") || !strings.HasSuffix(to, "/") {
			return nil, &diag.Error{
				Kind: diag.Invalid, Doing: "reading mirror " + item, Err: fmt.Errorf("not two URL prefixes"),
				Fix: "write it as https://github.com/=https://git.example.org/mirrors/",
			}
		}
		m[from] = to
	}
	return m, nil
}

// signedIn reports whether a URL says who signs in there. The user of SSH is no
// secret.
func signedIn(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User == nil {
		return err != nil && strings.Contains(raw, "@")
	}
	_, password := u.User.Password()
	return password || u.Scheme != "ssh"
}

// Of returns where to fetch url from: its mirror by the longest prefix, or url
// itself.
func (m Mirrors) Of(url string) string {
	for _, from := range m.prefixes() {
		if rest, ok := strings.CutPrefix(url, from); ok {
			return m[from] + rest
		}
	}
	return url
}

// sameHost returns the mirrors of the hosts that urls name. What is fetched, and
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

// host returns the scheme and host of a URL; a relative one has none.
func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// prefixes returns the mapped prefixes, the longest first.
func (m Mirrors) prefixes() []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}

// git returns a git command line that goes through the mirrors, for relative
// submodule URLs too.
func (m Mirrors) git(args ...string) []string {
	cmd := []string{"git", "-c", "advice.detachedHead=false"}
	for _, from := range m.prefixes() {
		cmd = append(cmd, "-c", "url."+m[from]+".insteadOf="+from)
	}
	return append(cmd, args...)
}
