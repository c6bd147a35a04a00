package debian

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/ulikunitz/xz"
)

// importTarball makes a bare repository at dir whose one commit holds the
// tarball's tree, at the source's tag and on branch main. Author and date are
// fixed, so that the commit depends on the tree alone.
func importTarball(ctx context.Context, dir, tarball string, src Source) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	unpacked, err := xz.NewReader(f)
	if err != nil {
		return err
	}
	repo, err := git.PlainInit(dir, true)
	if err != nil {
		return err
	}
	tree, err := treeFromTar(ctx, repo.Storer, tar.NewReader(unpacked))
	if err != nil {
		return err
	}
	author := object.Signature{Name: "Tagline", Email: "tagline@localhost", When: time.Unix(Epoch, 0).UTC()}
	commit, err := store(repo.Storer, &object.Commit{Author: author, Committer: author, TreeHash: tree,
		Message: fmt.Sprintf("%s %s, from Debian's source package\n", src.Package, src.Tag)})
	if err != nil {
		return err
	}
	for _, ref := range []*plumbing.Reference{
		plumbing.NewHashReference(plumbing.NewTagReferenceName(src.Tag), commit),
		plumbing.NewHashReference(plumbing.NewBranchReferenceName("main"), commit),
		plumbing.NewSymbolicReference(plumbing.HEAD, plumbing.NewBranchReferenceName("main")),
	} {
		if err := repo.Storer.SetReference(ref); err != nil {
			return err
		}
	}
	return nil
}

// treeFromTar stores the files of a tar whose names share one first folder,
// which is dropped.
func treeFromTar(ctx context.Context, s storer.EncodedObjectStorer, r *tar.Reader) (plumbing.Hash, error) {
	folders := map[string]*object.Tree{"": {}}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if err := ctx.Err(); err != nil {
			return plumbing.ZeroHash, err
		}
		_, name, ok := strings.Cut(path.Clean(h.Name), "/")
		if !ok || h.Typeflag == tar.TypeDir {
			continue
		}
		entry, err := blob(s, h, r)
		if err != nil {
			return plumbing.ZeroHash, fmt.Errorf("storing %s: %w", name, err)
		}
		entry.Name = path.Base(name)
		folder := folderOf(folders, path.Dir(name))
		folder.Entries = append(folder.Entries, entry)
	}
	return storeFolders(s, folders)
}

func blob(s storer.EncodedObjectStorer, h *tar.Header, r io.Reader) (object.TreeEntry, error) {
	mode := filemode.Regular
	switch {
	case h.Typeflag == tar.TypeSymlink:
		mode, r = filemode.Symlink, strings.NewReader(h.Linkname)
	case h.Typeflag != tar.TypeReg:
		return object.TreeEntry{}, fmt.Errorf("neither file nor symbolic link (type %q)", h.Typeflag)
	case h.Mode&0o111 != 0:
		mode = filemode.Executable
	}
	o := s.NewEncodedObject()
	o.SetType(plumbing.BlobObject)
	w, err := o.Writer()
	if err != nil {
		return object.TreeEntry{}, err
	}
	if _, err := io.Copy(w, r); err != nil {
		return object.TreeEntry{}, err
	}
	if err := w.Close(); err != nil {
		return object.TreeEntry{}, err
	}
	hash, err := s.SetEncodedObject(o)
	return object.TreeEntry{Mode: mode, Hash: hash}, err
}

// folderOf returns the tree of a folder, and makes it and those above it known.
func folderOf(folders map[string]*object.Tree, name string) *object.Tree {
	if name == "." || name == "/" {
		name = ""
	}
	if t, ok := folders[name]; ok {
		return t
	}
	folderOf(folders, path.Dir(name))
	folders[name] = &object.Tree{}
	return folders[name]
}

// storeFolders stores the deepest folders first, so that each knows the hashes
// of those below it, and returns the root's.
func storeFolders(s storer.EncodedObjectStorer, folders map[string]*object.Tree) (plumbing.Hash, error) {
	var names []string
	for n := range folders {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool {
		di, dj := strings.Count(names[i], "/"), strings.Count(names[j], "/")
		if names[i] == "" || names[j] == "" {
			return names[j] == "" && names[i] != ""
		}
		return di > dj || di == dj && names[i] < names[j]
	})
	var hash plumbing.Hash
	for _, n := range names {
		tree := folders[n]
		sort.Sort(object.TreeEntrySorter(tree.Entries))
		var err error
		if hash, err = store(s, tree); err != nil {
			return hash, err
		}
		if n != "" {
			above := folderOf(folders, path.Dir(n))
			above.Entries = append(above.Entries, object.TreeEntry{Name: path.Base(n), Mode: filemode.Dir, Hash: hash})
		}
	}
	return hash, nil
}

// store writes one commit or tree.
func store(s storer.EncodedObjectStorer, object interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	o := s.NewEncodedObject()
	if err := object.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return s.SetEncodedObject(o)
}
