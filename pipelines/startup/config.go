package startup

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Script is the name of the start-up script in a config folder.
const Script = "st.cmd"

const (
	maxFile   = 200 << 20 // bytes of one file
	maxConfig = 400 << 20 // bytes of a whole folder, which is read into memory
)

// Config reads an IOC's config folder: its files by their path in it, with
// slashes. A symbolic link to a file of the repository counts as that file. The
// error joins every fault (a *diag.Error each): no start-up script, files that are
// too large or can't be read, and what can be seen to be wrong in the script
// without running it.
func Config(fsys fs.FS, folder string) (map[string][]byte, error) {
	files, err := Files(fsys, folder)
	if files == nil {
		return nil, err
	}
	faults := []error{err}
	if script, ok := files[Script]; ok {
		faults = append(faults, checkScript(path.Join(folder, Script), script, files))
	} else if _, err := fs.Stat(fsys, path.Join(folder, Script)); err != nil {
		faults = append(faults, diag.Invalidf(folder, 0, "add "+Script, "there is no start-up script"))
	}
	return files, errors.Join(faults...)
}

// Files reads the files of a config folder as Config does, whatever they are.
func Files(fsys fs.FS, folder string) (map[string][]byte, error) {
	if info, err := fs.Stat(fsys, folder); err != nil || !info.IsDir() {
		return nil, diag.Invalidf(folder, 0, "add it, with the start-up script "+Script, "there is no such folder")
	}
	files := map[string][]byte{}
	var faults []error
	size := int64(0)
	err := fs.WalkDir(fsys, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return diag.Invalidf(name, 0, "replace it by a folder", "it can't be listed: %w", err)
		}
		if entry.IsDir() {
			return nil
		}
		content, err := configFile(fsys, name)
		if err != nil {
			faults = append(faults, err)
			return nil
		}
		files[strings.TrimPrefix(name, folder+"/")] = content
		if size += int64(len(content)); size > maxConfig {
			return diag.Invalidf(folder, 0, "move large files into the generic IOC's image, or onto a volume",
				"its files have more than %d MiB in all", maxConfig>>20)
		}
		return nil
	})
	return files, errors.Join(append(faults, err)...)
}

// configFile reads one file of a config folder.
func configFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	switch {
	case err != nil:
		return nil, diag.Invalidf(name, 0, "replace it by a file", "it can't be read: %w", err)
	case info.IsDir():
		return nil, diag.Invalidf(name, 0, "copy the folder, or link its files",
			"a symbolic link to a folder is not followed in a config folder")
	case info.Size() > maxFile:
		return nil, diag.Invalidf(name, 0, "move it into the generic IOC's image, or onto a volume",
			"it has %d MiB, more than the %d of one file", info.Size()>>20, maxFile>>20)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return nil, diag.Invalidf(name, 0, "rename it", "its name has characters that can't be shown")
	}
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, diag.Invalidf(name, 0, "replace it by a file", "it can't be read: %w", err)
	}
	return content, nil
}
