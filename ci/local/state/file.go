package state

import (
	"os"
	"path/filepath"
)

// WriteFile writes a file so that a reader, or a run after one that was killed,
// sees the whole file or nothing. Missing directories are made.
func WriteFile(path string, data []byte, perm os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), perm); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Symlink makes path point to target, whatever it was before.
func Symlink(target, path string) error {
	if was, err := os.Readlink(path); err == nil && was == target {
		return nil
	}
	tmp := path + ".new"
	_ = os.Remove(tmp)
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Exists reports whether there is something at path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// RemoveOthers removes what has the prefix in the directory of keep, except
// keep.
func RemoveOthers(prefix, keep string) error {
	old, err := filepath.Glob(filepath.Join(filepath.Dir(keep), prefix+"*"))
	if err != nil {
		return err
	}
	for _, o := range old {
		if o != keep {
			if err := os.RemoveAll(o); err != nil {
				return err
			}
		}
	}
	return nil
}
