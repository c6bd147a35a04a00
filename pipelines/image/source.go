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

// resolve finds the commit that a module's ref names at its (mirrored)
// repository, or the hash of its folder in the tree.
func (b Builder) resolve(ctx context.Context, img *recipe.Image, ref recipe.ModuleRef) (record.Source, error) {
	mod := b.Tree.Modules[ref.Name]
	if mod.Folder != "" {
		sum, err := folderHash(b.Files, mod.Folder)
		return record.Source{Module: ref.Name, URL: "tree", Ref: mod.Folder, Commit: sum}, err
	}
	src := record.Source{Module: ref.Name, URL: mod.Git, Ref: ref.Ref}
	if commitHash.MatchString(ref.Ref) {
		src.Commit = ref.Ref
		return src, nil
	}
	url := b.Mirrors.Of(mod.Git)
	refs, err := git.NewRemote(memory.NewStorage(), &config.RemoteConfig{URLs: []string{url}}).
		ListContext(ctx, &git.ListOptions{PeelingOption: git.AppendPeeled})
	if err != nil {
		return src, &diag.Error{Kind: diag.Broken, Doing: "asking " + url + " for " + ref.Ref + " of", Asset: ref.Name, File: img.File, Line: ref.Line, Err: err, Fix: "check the URL in " + mod.File + ", or name a mirror with --mirror"}
	}
	found := map[string]string{}
	for _, r := range refs {
		found[r.Name().String()] = r.Hash().String()
	}
	for _, name := range []string{"refs/tags/" + ref.Ref + "^{}", "refs/tags/" + ref.Ref, "refs/heads/" + ref.Ref} {
		if h, ok := found[name]; ok {
			src.Commit = h
			return src, nil
		}
	}
	return src, diag.Invalidf(img.File, ref.Line, "name a tag, branch or commit of "+mod.Git, "%s has no ref %q", ref.Name, ref.Ref)
}

// fetch gives a module's source as the build sees it: the tree at a commit with
// the wanted submodules, without git's own folder.
func (b Builder) fetch(mod *recipe.Module, src record.Source) (*dagger.Directory, error) {
	if mod.Folder != "" {
		return folder(b.Client, b.Files, mod.Folder)
	}
	const dir = "/src"
	c := b.install(b.Client.Container().From(b.base), []string{"ca-certificates", "git"}).
		WithWorkdir(dir).
		WithExec(b.git("init", "--quiet", ".")).
		WithExec(b.git("remote", "add", "origin", mod.Git)).
		WithExec(b.git("fetch", "--quiet", "--depth=1", "origin", src.Commit)).
		WithExec(b.git("checkout", "--quiet", "FETCH_HEAD"))
	for _, sub := range mod.Submodules {
		// A mirror may hold a submodule's files in place of the link to it.
		c = c.WithExec(append([]string{"sh", "-c", `git ls-files -s "$0" | grep -q ^160000 || exit 0; exec "$@"`, sub},
			b.git("submodule", "update", "--init", "--recursive", "--depth=1", "--", sub)...))
	}
	return c.Directory(dir).WithoutDirectory(".git"), nil
}

// git gives a git command line that goes through the mirrors, for relative
// submodule URLs too.
func (b Builder) git(args ...string) []string {
	cmd := []string{"git", "-c", "advice.detachedHead=false"}
	for _, from := range b.Mirrors.prefixes() {
		cmd = append(cmd, "-c", "url."+b.Mirrors[from]+".insteadOf="+from)
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
