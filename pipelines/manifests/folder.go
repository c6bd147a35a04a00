package manifests

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// mark returns the first line of each file, with its end.
func (s *Set) mark() string {
	return fmt.Sprintf(
		"# Written by tagline render from %s %s, record %s; do not edit\n", s.Beamline, s.Version, s.Record,
	)
}

// marked is the first line of a file that was rendered, with the beamline's name.
var marked = regexp.MustCompile(`^# Written by tagline render from (\S+) \S+, record sha256:[0-9a-f]{64}; do not edit$`)

// partial is a file that is being written.
const partial = ".tagline-render"

// Change is what a rendering did to a folder. The names are in the order in which they
// were written and removed; files that were right already are in none.
type Change struct {
	Written []string `json:"written"`
	Removed []string `json:"removed"`
}

// Write makes a folder hold the set: it replaces the files of an earlier rendering of
// the same beamline, and then removes those of instances that are gone. All other files
// stay. The error is of kind Invalid, and nothing was changed, when one of those is in
// the way.
//
// The kustomization is written after what it names, and before anything is removed, so
// that the folder can be read at any time.
func (s *Set) Write(folder string) (*Change, error) {
	todo, err := s.compare(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	for _, f := range s.Files {
		if !slices.Contains(todo.Written, f.Name) {
			continue
		}
		if err := put(folder, f); err != nil {
			return nil, fmt.Errorf("writing %s: %w", f.Name, err)
		}
	}
	for _, name := range todo.Removed {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			return nil, fmt.Errorf("removing what is no longer rendered: %w", err)
		}
	}
	return todo, nil
}

// compare returns what must be done to a folder, which it only reads.
func (s *Set) compare(folder string) (*Change, error) {
	there, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.inTheWay(folder, "it can't be read as a folder: %w", err)
	}
	todo := &Change{Written: []string{}, Removed: []string{}}
	right := map[string]bool{}
	var faults []error
	for _, entry := range there {
		file := filepath.Join(folder, entry.Name())
		wanted := slices.IndexFunc(s.Files, func(f File) bool { return f.Name == entry.Name() })
		text, mine := s.mine(file, entry)
		switch {
		case wanted >= 0 && mine:
			right[entry.Name()] = string(text) == s.Files[wanted].Text
		case wanted >= 0:
			faults = append(faults, s.inTheWay(file, "tagline render did not write it from %s", s.Beamline))
		case slices.Contains([]string{"kustomization.yml", "Kustomization"}, entry.Name()):
			faults = append(faults, s.inTheWay(file, "a folder has one kustomization, here %s", Kustomization))
		case mine:
			todo.Removed = append(todo.Removed, entry.Name())
		}
	}
	for _, f := range s.Files {
		if !right[f.Name] {
			todo.Written = append(todo.Written, f.Name)
		}
	}
	return todo, errors.Join(faults...)
}

// mine reads a file, and reports whether it was rendered from the same beamline.
func (s *Set) mine(file string, entry fs.DirEntry) ([]byte, bool) {
	if !entry.Type().IsRegular() {
		return nil, false
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Scan()
	found := marked.FindSubmatch(lines.Bytes())
	return text, found != nil && string(found[1]) == string(s.Beamline)
}

// inTheWay returns the error of a file that is not ours to change.
func (s *Set) inTheWay(file, format string, args ...any) error {
	return &diag.Error{
		Kind: diag.Invalid, File: file, Doing: "rendering", Asset: string(s.Beamline), Version: s.Version.String(),
		Err: fmt.Errorf(format, args...), Fix: "render into another folder, or move it away; nothing was changed",
	}
}

// put writes a file whole or not at all.
func put(folder string, f File) error {
	beside := filepath.Join(folder, partial)
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(beside, []byte(f.Text), 0o644); err != nil {
		return err
	}
	return os.Rename(beside, filepath.Join(folder, f.Name))
}
