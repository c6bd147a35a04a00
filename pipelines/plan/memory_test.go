package plan

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"
)

// memory is a MapFS that knows its folders: MapFS itself looks at every file
// to list one of them, which would be what a benchmark of a large site measures.
type memory struct {
	fstest.MapFS
	folders map[string][]fs.DirEntry
}

func indexed(files fstest.MapFS) memory {
	m := memory{files, map[string][]fs.DirEntry{".": nil}}
	var add func(name string, e entry)
	add = func(name string, e entry) {
		dir := path.Dir(name)
		if _, ok := m.folders[dir]; !ok {
			m.folders[dir] = nil
			add(dir, entry{path.Base(dir), &fstest.MapFile{Mode: fs.ModeDir | 0o755}})
		}
		m.folders[dir] = append(m.folders[dir], e)
	}
	for name, file := range files {
		add(name, entry{path.Base(name), file})
	}
	for _, list := range m.folders {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return m
}

func (m memory) ReadDir(name string) ([]fs.DirEntry, error) {
	list, ok := m.folders[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return list, nil
}

func (m memory) Stat(name string) (fs.FileInfo, error) {
	if _, ok := m.folders[name]; ok && name != "." {
		return entry{path.Base(name), &fstest.MapFile{Mode: fs.ModeDir | 0o755}}.Info()
	}
	return m.MapFS.Stat(name)
}

// entry is an fs.DirEntry of a MapFS's file.
type entry struct {
	name string
	file *fstest.MapFile
}

func (e entry) Name() string      { return e.name }
func (e entry) IsDir() bool       { return e.file.Mode.IsDir() }
func (e entry) Type() fs.FileMode { return e.file.Mode.Type() }
func (e entry) Info() (fs.FileInfo, error) {
	return fs.Stat(fstest.MapFS{e.name: e.file}, e.name)
}
