package scaffold

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Names returns the paths of the files, sorted.
func (f Files) Names() []string { return slices.Sorted(maps.Keys(f)) }

// Write writes the files below the folder root, which need not be there. Nothing is
// overwritten: where one of them is there already, as whatever, all that are so are in the
// error (diag.Invalid), and none is written.
func (f Files) Write(root string) error {
	var faults diag.Faults
	for _, name := range f.Names() {
		switch _, err := os.Lstat(filepath.Join(root, name)); {
		case err == nil:
			const fix = "choose another name, or take it away"
			faults.Addf(name, 0, fix, "it is there already, and nothing is overwritten")
		case !errors.Is(err, fs.ErrNotExist):
			faults.Addf(name, 0, "name a folder that you can write in", "it can't be written: %w", err)
		}
	}
	if err := faults.Err(); err != nil {
		return err
	}
	for _, name := range f.Names() {
		path := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(f[name]), 0o644)
		}
		if err != nil {
			return &diag.Error{
				Kind: diag.Broken, Doing: "writing new files", File: name, Err: err,
				Fix: "see that the folder can be written in and has room, remove what was written, and run it again",
			}
		}
	}
	return nil
}
