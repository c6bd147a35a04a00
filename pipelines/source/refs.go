package source

import (
	"context"
	"errors"
	"net/url"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// remoteRefs are a git repository's refs and the hashes they point to; an
// annotated tag's commit is at its name with ^{}.
type remoteRefs map[string]string

// refs lists the refs of a module's repository, at its mirror.
func (f Fetcher) refs(ctx context.Context, w Wanted) (remoteRefs, error) {
	from := f.Mirrors.Of(w.Module.Git)
	refs, err := git.NewRemote(memory.NewStorage(), &config.RemoteConfig{URLs: []string{from}}).
		ListContext(ctx, &git.ListOptions{PeelingOption: git.AppendPeeled, Auth: f.Logins.auth(from)})
	for _, refused := range []error{transport.ErrAuthenticationRequired, transport.ErrAuthorizationFailed} {
		if !errors.Is(err, refused) {
			continue
		}
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "asking " + from + " for " + w.Ref.Ref + " of", Asset: w.Ref.Name,
			File: w.Image.File, Line: w.Ref.Line, Err: refused, // without the server's page
			Fix: "give a login for " + hostname(from) +
				" in .netrc or TAGLINE_NETRC, or correct the URL in " + w.Module.File,
		}
	}
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "asking " + from + " for " + w.Ref.Ref + " of", Asset: w.Ref.Name,
			File: w.Image.File, Line: w.Ref.Line, Err: err,
			Fix: "check the URL in " + w.Module.File + ", or name a mirror with --mirror",
		}
	}
	found := remoteRefs{}
	for _, r := range refs {
		found[r.Name().String()] = r.Hash().String()
	}
	return found, nil
}

// hostname returns the host of a URL, without its port.
func hostname(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	return u.Hostname()
}

// tag returns the commit of a tag.
func (r remoteRefs) tag(name string) (string, bool) {
	if h, ok := r["refs/tags/"+name+"^{}"]; ok {
		return h, true
	}
	h, ok := r["refs/tags/"+name]
	return h, ok
}

// commit returns the commit of a tag, or of a branch.
func (r remoteRefs) commit(name string) (string, bool) {
	if h, ok := r.tag(name); ok {
		return h, true
	}
	h, ok := r["refs/heads/"+name]
	return h, ok
}

// noRef refuses a ref that the repository does not have.
func (w Wanted) noRef() error {
	return diag.Invalidf(w.Image.File, w.Ref.Line, "name a tag, branch or commit of "+w.Module.Git,
		"%s has no ref %q", w.Ref.Name, w.Ref.Ref)
}
