package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"dagger.io/dagger"
)

// Folder carries a folder of the tree into the engine, file by file: the same
// content has the same cache keys on every machine and at every commit.
func Folder(client *dagger.Client, fsys fs.FS, root string) (*dagger.Directory, error) {
	dir := client.Directory()
	err := files(fsys, root, func(p string, info fs.FileInfo) error {
		content, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		perm := 0o644
		if info.Mode()&0o111 != 0 {
			perm = 0o755
		}
		dir = withFile(client, dir, name, content, perm)
		return nil
	})
	return dir, err
}

// Files carries files, by their path, into the engine: bytes arrive as they are.
func Files(client *dagger.Client, contents map[string][]byte) *dagger.Directory {
	dir := client.Directory()
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		dir = withFile(client, dir, name, contents[name], 0o644)
	}
	return dir
}

// withFile adds one file. The engine takes text only, so anything else goes in
// as base64 and is decoded there.
func withFile(client *dagger.Client, dir *dagger.Directory, name string, content []byte, perm int) *dagger.Directory {
	if utf8.Valid(content) {
		return dir.WithNewFile(name, string(content), dagger.DirectoryWithNewFileOpts{Permissions: perm})
	}
	decoded := client.Container().From(Tools).
		WithNewFile("/in", base64.StdEncoding.EncodeToString(content)).
		WithExec([]string{"base64", "-d", "/in"}, dagger.ContainerWithExecOpts{RedirectStdout: "/out"}).
		File("/out")
	return dir.WithFile(name, decoded, dagger.DirectoryWithFileOpts{Permissions: perm})
}

// FolderHash returns the SHA-256 of a folder's paths, modes and contents, cut to
// 40 hex digits as commits are.
func FolderHash(fsys fs.FS, root string) (string, error) {
	h := sha256.New()
	err := files(fsys, root, func(p string, info fs.FileInfo) error {
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
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:40], nil
}

// files calls work for each file below a folder, in the order of paths.
func files(fsys fs.FS, root string, work func(p string, info fs.FileInfo) error) error {
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return work(p, info)
	})
	if err != nil {
		return fmt.Errorf("reading %s: %w", path.Clean(root), err)
	}
	return nil
}

// Export brings a folder out of the engine for as long as read runs, which sees it
// as the one folder "name" of a tree. A link that leads out of it can't be followed.
func Export(ctx context.Context, dir *dagger.Directory, name string, read func(fs.FS) error) error {
	out, err := os.MkdirTemp("", "tagline-folder")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	if _, err := dir.Export(ctx, filepath.Join(out, name)); err != nil {
		return Explain(err)
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer root.Close()
	return read(root.FS())
}
