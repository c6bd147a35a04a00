package release

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// WriteLocks writes the lock files that Lock returned into a working copy, and returns
// their paths from root, sorted. What pins nothing has no lock file: one that is there is
// removed.
func WriteLocks(root string, locks map[string][]byte) (written []string, err error) {
	for _, file := range slices.Sorted(maps.Keys(locks)) {
		path := filepath.Join(root, filepath.FromSlash(file))
		if len(locks[file]) == 0 {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return written, err
			}
			continue
		}
		if err := os.WriteFile(path, locks[file], 0o644); err != nil {
			return written, err
		}
		written = append(written, file)
	}
	return written, nil
}

// ReplaceFolder makes a folder of a working copy hold these files and no others, and
// returns those that were written or removed, sorted, by their paths from root. A link in
// the folder is removed, and what it leads to left alone.
func ReplaceFolder(root, folder string, files map[string][]byte) (changed []string, err error) {
	dir := filepath.Join(root, filepath.FromSlash(folder))
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if _, ok := files[filepath.ToSlash(name)]; ok && entry.Type().IsRegular() {
			return nil // else a link, and what it leads to is not ours
		}
		changed = append(changed, folder+"/"+filepath.ToSlash(name))
		return os.Remove(path)
	})
	if err != nil {
		return changed, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if was, err := os.ReadFile(path); err == nil && bytes.Equal(was, files[name]) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return changed, err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			return changed, err
		}
		changed = append(changed, folder+"/"+name)
	}
	slices.Sort(changed)
	return slices.Compact(changed), nil
}
