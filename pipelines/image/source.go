package image

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"dagger.io/dagger"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

var commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// pinned gives the locked source of a module, or the hash of its folder in the
// tree. A tag that is elsewhere now than when it was locked is refused.
func (b Builder) pinned(ctx context.Context, img *recipe.Image, ref recipe.ModuleRef) (record.Source, error) {
	mod := b.Tree.Modules[ref.Name]
	if mod.Folder != "" {
		sum, err := folderHash(b.Files, mod.Folder)
		return record.Source{Module: ref.Name, URL: "tree", Ref: mod.Folder, Commit: sum}, err
	}
	locked := b.Locks[img.Name].Modules[ref.Name]
	src := record.Source{Module: ref.Name, URL: mod.Git, Ref: ref.Ref, Commit: string(locked.Commit)}
	if commitHash.MatchString(ref.Ref) {
		return src, nil
	}
	refs, err := b.remote(ctx, img, ref)
	if err != nil {
		return src, err
	}
	if now, ok := refs.tag(ref.Ref); ok && now != src.Commit {
		return src, &diag.Error{Kind: diag.Invalid, File: img.LockPath(), Asset: ref.Name, Version: ref.Ref, Err: fmt.Errorf("the tag has moved: it was locked at commit %.12s and is at %.12s now", src.Commit, now), Fix: "find out why; to take what it is now, run: tagline lock " + img.Name}
	}
	if _, ok := refs.commit(ref.Ref); !ok {
		return src, refs.none(img, ref, mod)
	}
	return src, nil
}

// remoteRefs are a git repository's refs and the hashes they point to; an
// annotated tag's commit is at its name with ^{}.
type remoteRefs map[string]string

// remote lists the refs of a module's repository, at its mirror.
func (b Builder) remote(ctx context.Context, img *recipe.Image, ref recipe.ModuleRef) (remoteRefs, error) {
	mod := b.Tree.Modules[ref.Name]
	url := b.Mirrors.Of(mod.Git)
	refs, err := git.NewRemote(memory.NewStorage(), &config.RemoteConfig{URLs: []string{url}}).
		ListContext(ctx, &git.ListOptions{PeelingOption: git.AppendPeeled})
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "asking " + url + " for " + ref.Ref + " of", Asset: ref.Name, File: img.File, Line: ref.Line, Err: err, Fix: "check the URL in " + mod.File + ", or name a mirror with --mirror"}
	}
	found := remoteRefs{}
	for _, r := range refs {
		found[r.Name().String()] = r.Hash().String()
	}
	return found, nil
}

// tag gives the commit of a tag.
func (r remoteRefs) tag(name string) (string, bool) {
	if h, ok := r["refs/tags/"+name+"^{}"]; ok {
		return h, true
	}
	h, ok := r["refs/tags/"+name]
	return h, ok
}

// commit gives the commit of a tag, or of a branch.
func (r remoteRefs) commit(name string) (string, bool) {
	if h, ok := r.tag(name); ok {
		return h, true
	}
	h, ok := r["refs/heads/"+name]
	return h, ok
}

// none refuses a ref that the repository does not have.
func (r remoteRefs) none(img *recipe.Image, ref recipe.ModuleRef, mod *recipe.Module) error {
	return diag.Invalidf(img.File, ref.Line, "name a tag, branch or commit of "+mod.Git, "%s has no ref %q", ref.Name, ref.Ref)
}

// fetch gives a module's source as the build sees it: the tree at a commit with
// the wanted submodules, without git's own folder.
func (b Builder) fetch(ctx context.Context, mod *recipe.Module, src record.Source) (*dagger.Directory, error) {
	if mod.Folder != "" {
		return folder(b.Client, b.Files, mod.Folder)
	}
	c, err := b.checkout(ctx, mod, src)
	if err != nil {
		return nil, err
	}
	return c.Directory(sourceDir).WithoutDirectory(".git"), nil
}

// sourceDir is where checkout puts a working copy.
const sourceDir = "/src"

// checkout gives a container with git, and the working copy of a module.
func (b Builder) checkout(ctx context.Context, mod *recipe.Module, src record.Source) (*dagger.Container, error) {
	mirrors := b.Mirrors.sameHost(mod.Git)
	c := Tools(b.Client.Container().From(b.base), "ca-certificates", "git").
		WithWorkdir(sourceDir).
		WithExec(mirrors.git("init", "--quiet", ".")).
		WithExec(mirrors.git("remote", "add", "origin", mod.Git)).
		WithExec(mirrors.git("fetch", "--quiet", "--depth=1", "origin", src.Commit)).
		WithExec(mirrors.git("checkout", "--quiet", "FETCH_HEAD"))
	if len(mod.Submodules) == 0 {
		return c, nil
	}
	urls, err := submodules(ctx, c)
	if err != nil {
		return nil, err
	}
	mirrors = b.Mirrors.sameHost(append(urls, mod.Git)...)
	for _, sub := range mod.Submodules {
		// A mirror may hold a submodule's files in place of the link to it.
		c = c.WithExec(append([]string{"sh", "-c", `git ls-files -s "$0" | grep -q ^160000 || exit 0; exec "$@"`, sub},
			mirrors.git("submodule", "update", "--init", "--recursive", "--depth=1", "--", sub)...))
	}
	return c, nil
}

// submodules gives the URLs of a working copy's submodules.
func submodules(ctx context.Context, c *dagger.Container) ([]string, error) {
	text, err := c.WithExec([]string{"sh", "-c", "cat .gitmodules 2>/dev/null; true"}).Stdout(ctx)
	if err != nil {
		return nil, explain(err)
	}
	all := config.NewModules()
	if err := all.Unmarshal([]byte(text)); err != nil {
		return nil, fmt.Errorf("reading .gitmodules: %w", err)
	}
	var urls []string
	for _, m := range all.Submodules {
		urls = append(urls, m.URL)
	}
	return urls, nil
}

// git gives a git command line that goes through the mirrors, for relative
// submodule URLs too.
func (m Mirrors) git(args ...string) []string {
	cmd := []string{"git", "-c", "advice.detachedHead=false"}
	for _, from := range m.prefixes() {
		cmd = append(cmd, "-c", "url."+m[from]+".insteadOf="+from)
	}
	return append(cmd, args...)
}

// folder carries a folder of the tree into the engine, file by file: the same
// content gives the same cache keys on every machine and at every commit.
func folder(client *dagger.Client, fsys fs.FS, root string) (*dagger.Directory, error) {
	dir := client.Directory()
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		perm := 0o644
		if info.Mode()&0o111 != 0 {
			perm = 0o755
		}
		dir = withFile(client, dir, rel, content, perm)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", root, err)
	}
	return dir, nil
}

// withFile adds one file. The engine takes text only, so anything else goes in
// as base64 and is decoded there.
func withFile(client *dagger.Client, dir *dagger.Directory, name string, content []byte, perm int) *dagger.Directory {
	if utf8.Valid(content) {
		return dir.WithNewFile(name, string(content), dagger.DirectoryWithNewFileOpts{Permissions: perm})
	}
	decoded := client.Container().From("debian:trixie-slim").
		WithNewFile("/in", base64.StdEncoding.EncodeToString(content)).
		WithExec([]string{"base64", "-d", "/in"}, dagger.ContainerWithExecOpts{RedirectStdout: "/out"}).
		File("/out")
	return dir.WithFile(name, decoded, dagger.DirectoryWithFileOpts{Permissions: perm})
}

// folderHash is the SHA-256 of a folder's paths, modes and contents, cut to 40
// hex digits as commits are.
func folderHash(fsys fs.FS, root string) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f, err := fsys.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(h, "%s %o %d\n", p, info.Mode()&0o111, info.Size())
		_, err = io.Copy(h, f)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", path.Clean(root), err)
	}
	return hex.EncodeToString(h.Sum(nil))[:40], nil
}
