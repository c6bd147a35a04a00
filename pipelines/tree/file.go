package tree

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Open opens a file or folder.
func (f *files) Open(name string) (fs.File, error) {
	n, err := f.find("open", name, true)
	if err != nil {
		return nil, err
	}
	if n.mode == filemode.Dir {
		list, err := f.list(n)
		return &folder{info: info{n, 0, f.when}, rest: list}, err
	}
	b, err := f.content(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{Reader: bytes.NewReader(b), info: info{n, int64(len(b)), f.when}}, nil
}

// ReadFile returns a file's content.
func (f *files) ReadFile(name string) ([]byte, error) {
	n, err := f.find("read", name, true)
	if err != nil {
		return nil, err
	}
	b, err := f.content(n)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return b, nil
}

// ReadDir returns a folder's entries, sorted by name. Links are not followed.
func (f *files) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	list, err := f.list(n)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return list, nil
}

// Stat describes what name is, links followed.
func (f *files) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat describes name itself, which may be a link.
func (f *files) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *files) stat(op, name string, follow bool) (fs.FileInfo, error) {
	n, err := f.find(op, name, follow)
	if err != nil {
		return nil, err
	}
	return f.info(n)
}

// ReadLink returns where the link name points to, as it was committed.
func (f *files) ReadLink(name string) (string, error) {
	n, err := f.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if n.mode != filemode.Symlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	b, err := f.repo.blob(n.hash)
	return string(b), err
}

func (f *files) content(n node) ([]byte, error) {
	switch n.mode {
	case filemode.Dir:
		return nil, fmt.Errorf("is a folder")
	case filemode.Submodule:
		return nil, submodule(n.name)
	}
	return f.repo.blob(n.hash)
}

func (f *files) list(n node) ([]fs.DirEntry, error) {
	if n.mode == filemode.Submodule {
		return nil, submodule(n.name)
	}
	if n.mode != filemode.Dir {
		return nil, fmt.Errorf("is not a folder")
	}
	entries, err := f.repo.entries(n.hash)
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = entry{info{node{e.Name, e.Mode, e.Hash}, 0, f.when}, f}
	}
	return list, err
}

// info describes a node, with its size in bytes.
func (f *files) info(n node) (info, error) {
	if n.mode == filemode.Dir || n.mode == filemode.Submodule {
		return info{n, 0, f.when}, nil
	}
	f.repo.mu.Lock()
	defer f.repo.mu.Unlock()
	// Who asks for a size reads the file next, and go-git keeps what it has read.
	o, err := f.repo.git.Storer.EncodedObject(plumbing.BlobObject, n.hash)
	if err != nil {
		return info{}, fmt.Errorf("reading git blob %s: %w", n.hash, err)
	}
	return info{n, o.Size(), f.when}, nil
}

func readAll(b *object.Blob) ([]byte, error) {
	r, err := b.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// info is an fs.FileInfo.
type info struct {
	node
	size int64
	when time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.when }
func (i info) IsDir() bool        { return i.mode == filemode.Dir }
func (i info) Sys() any           { return nil }

// Mode returns the permissions git knows: executable or not.
func (i info) Mode() fs.FileMode {
	switch i.mode {
	case filemode.Dir:
		return fs.ModeDir | 0o755
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o755
	case filemode.Submodule:
		return fs.ModeIrregular
	}
	return 0o644
}

// entry is an fs.DirEntry; its size is read when asked for.
type entry struct {
	info
	in *files
}

func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e.in.info(e.node) }

// file is an open file: its whole content is in memory.
type file struct {
	*bytes.Reader
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// folder is an open folder with the entries not yet read.
type folder struct {
	info info
	rest []fs.DirEntry
}

func (d *folder) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *folder) Close() error               { return nil }
func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: fmt.Errorf("is a folder")}
}

// ReadDir returns the next n entries, or all for n ≤ 0.
func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.rest) {
		n = len(d.rest)
	}
	list := d.rest[:n:n]
	d.rest = d.rest[n:]
	return list, nil
}
