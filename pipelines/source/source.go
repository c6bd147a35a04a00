package source

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"dagger.io/dagger"
	"github.com/go-git/go-git/v5/config"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

//go:embed submodule.sh
var submoduleScript string

var commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Fetcher fetches the sources of one tree's support modules.
type Fetcher struct {
	Client  *dagger.Client
	Files   fs.FS // the tree
	Mirrors Mirrors
	Logins  Logins
	Base    string // container image in which git runs, by digest
}

// Wanted is a support module at the ref that an image asks for.
type Wanted struct {
	Image  *recipe.Image
	Ref    recipe.ModuleRef
	Module *recipe.Module
}

// Pinned returns the locked source of a module, or the hash of its folder in
// the tree. A tag that points elsewhere than when it was locked is refused.
func (f Fetcher) Pinned(ctx context.Context, w Wanted, locked lockfile.Module) (record.Source, error) {
	src := record.Source{
		Module: w.Ref.Name, URL: w.Module.Git, Ref: w.Ref.Ref, Commit: string(locked.Commit), Licence: w.Module.Licence,
	}
	if w.Module.Folder != "" {
		sum, err := engine.FolderHash(f.Files, w.Module.Folder)
		src.URL, src.Ref, src.Commit = "tree", w.Module.Folder, sum
		return src, err
	}
	if commitHash.MatchString(w.Ref.Ref) {
		return src, nil
	}
	refs, err := f.refs(ctx, w)
	if err != nil {
		return src, err
	}
	if now, ok := refs.tag(w.Ref.Ref); ok && now != src.Commit {
		return src, &diag.Error{
			Kind: diag.Invalid, File: lockfile.Path(w.Image), Asset: w.Ref.Name, Version: w.Ref.Ref,
			Err: fmt.Errorf("the tag has moved: it was locked at commit %.12s and is at %.12s now", src.Commit, now),
			Fix: "find out why; to take what it is now, run: tagline lock " + string(w.Image.Name),
		}
	}
	if _, ok := refs.commit(w.Ref.Ref); !ok {
		return src, w.noRef()
	}
	return src, nil
}

// Reach refuses a module whose repository does not answer, does not have the ref
// that is wanted, or has its tag elsewhere than when it was locked.
func (f Fetcher) Reach(ctx context.Context, w Wanted, locked lockfile.Module) error {
	if commitHash.MatchString(w.Ref.Ref) {
		_, err := f.refs(ctx, w)
		return err
	}
	_, err := f.Pinned(ctx, w, locked)
	return err
}

// Lock finds the commits that a module's ref and its submodules stand for now.
func (f Fetcher) Lock(ctx context.Context, w Wanted) (lockfile.Module, error) {
	commit := w.Ref.Ref
	if !commitHash.MatchString(commit) {
		refs, err := f.refs(ctx, w)
		if err != nil {
			return lockfile.Module{}, err
		}
		var ok bool
		if commit, ok = refs.commit(w.Ref.Ref); !ok {
			return lockfile.Module{}, w.noRef()
		}
	}
	locked := lockfile.Module{Ref: w.Ref.Ref, Commit: lockfile.Commit(commit)}
	c, err := f.checkout(ctx, w.Module, commit)
	var status string
	if err == nil {
		status, err = c.WithExec([]string{"git", "submodule", "status", "--recursive"}).Stdout(ctx)
	}
	if known := (*diag.Error)(nil); errors.As(err, &known) {
		return locked, err
	}
	if err != nil {
		return locked, &diag.Error{
			Kind: diag.Broken, Doing: "fetching " + w.Ref.Name + " " + w.Ref.Ref + " for", Asset: string(w.Image.Name),
			File: w.Image.File, Line: w.Ref.Line, Err: engine.Explain(err),
			Fix: engine.Fix(err, "check the URL in "+w.Module.File+", or name a mirror with --mirror"),
		}
	}
	locked.Submodules = readStatus(status)
	return locked, nil
}

// readStatus reads the output of git submodule status, lines of
// " <commit> <path> (<description>)": the commits by path. What is not checked
// out has "-" before it and is left out.
func readStatus(text string) map[string]lockfile.Commit {
	var commits map[string]lockfile.Commit
	for line := range strings.Lines(text) {
		part := strings.Fields(line)
		if len(part) < 2 || strings.HasPrefix(line, "-") {
			continue
		}
		if commits == nil {
			commits = map[string]lockfile.Commit{}
		}
		commits[part[1]] = lockfile.Commit(strings.TrimLeft(part[0], "+U"))
	}
	return commits
}

// Fetch returns a module's source as the build sees it: the tree at a commit
// with the wanted submodules, without git's own folder.
func (f Fetcher) Fetch(ctx context.Context, mod *recipe.Module, commit string) (*dagger.Directory, error) {
	if mod.Folder != "" {
		return engine.Folder(f.Client, f.Files, mod.Folder)
	}
	c, err := f.checkout(ctx, mod, commit)
	if err != nil {
		return nil, err
	}
	return c.Directory(workingCopy).WithoutDirectory(".git"), nil
}

// workingCopy is where checkout puts it.
const workingCopy = "/src"

// checkout returns a container with git, and the working copy of a module.
func (f Fetcher) checkout(ctx context.Context, mod *recipe.Module, commit string) (*dagger.Container, error) {
	mirrors := f.Mirrors.sameHost(mod.Git)
	c := debian.Tools(f.Client.Container().From(f.Base), "ca-certificates", "git").
		WithWorkdir(workingCopy).
		WithExec(mirrors.git("init", "--quiet", ".")).
		WithExec(mirrors.git("remote", "add", "origin", mod.Git))
	c = f.Logins.mounted(f.Client, c, f.Mirrors.Of(mod.Git)).
		WithExec(mirrors.git("fetch", "--quiet", "--depth=1", "origin", commit)).
		WithExec(mirrors.git("checkout", "--quiet", "FETCH_HEAD"))
	if len(mod.Submodules) == 0 {
		return c, nil
	}
	urls, err := submoduleURLs(ctx, c, mod, commit)
	if err != nil {
		return nil, err
	}
	mirrors = f.Mirrors.sameHost(append(urls, mod.Git)...)
	at := []string{f.Mirrors.Of(mod.Git)}
	for _, u := range urls {
		at = append(at, f.Mirrors.Of(u))
	}
	c = f.Logins.mounted(f.Client, c, at...)
	for _, sub := range mod.Submodules {
		update := mirrors.git("submodule", "update", "--init", "--recursive", "--depth=1", "--", sub)
		c = c.WithExec(engine.Shell(submoduleScript, append([]string{sub}, update...)...))
	}
	return c, nil
}

// submoduleURLs returns the URLs of the submodules of a module's working copy at a commit.
// The error is a *diag.Error where its .gitmodules can't be read, which is not the engine's.
func submoduleURLs(
	ctx context.Context, c *dagger.Container, mod *recipe.Module, commit string,
) ([]string, error) {
	text, err := c.WithExec([]string{"sh", "-c", "cat .gitmodules 2>/dev/null; true"}).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	all := config.NewModules()
	if err := all.Unmarshal([]byte(text)); err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, File: mod.File, Err: fmt.Errorf("line %w", err),
			Doing: "reading .gitmodules of", Asset: mod.Git, Version: "at commit " + commit,
			Fix: "name a ref of it where that file is right, or remove submodules where none is needed",
		}
	}
	var urls []string
	for _, m := range all.Submodules {
		urls = append(urls, m.URL)
	}
	return urls, nil
}
