package startup

import (
	"errors"
	"io/fs"
	"path"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Script is the name of the start-up script in a config folder.
const Script = "st.cmd"

// MaxConfig is how many bytes a config folder may hold: it becomes a
// ConfigMap, which Kubernetes limits to one MiB.
const MaxConfig = 1 << 20

// Config reads an IOC's config folder: its files by name. The error joins
// every fault (a *diag.Error each): no start-up script, folders in it,
// names and sizes that a ConfigMap can't have, and what can be seen to be wrong
// in the script without running it.
func Config(fsys fs.FS, folder string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, diag.Invalidf(folder, 0, "add it, with the start-up script "+Script, "there is no such folder")
	}
	files := map[string][]byte{}
	var faults []error
	size := 0
	for _, e := range entries {
		content, err := configFile(fsys, path.Join(folder, e.Name()))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		files[e.Name()] = content
		size += len(content)
	}
	if size > MaxConfig {
		faults = append(faults, diag.Invalidf(folder, 0, "move large files into the image",
			"its files have %d bytes in all, more than the %d of a ConfigMap", size, MaxConfig))
	}
	if !hasEntry(entries, Script) {
		faults = append(faults, diag.Invalidf(folder, 0, "add "+Script, "there is no start-up script"))
	}
	if script, ok := files[Script]; ok {
		faults = append(faults, checkScript(path.Join(folder, Script), script, files))
	}
	return files, errors.Join(faults...)
}

// configFile reads one file of a config folder.
func configFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, diag.Invalidf(name, 0, "replace it by a file", "it can't be read: %w", err)
	}
	if info.IsDir() {
		return nil, diag.Invalidf(name, 0, "move its files up into "+path.Dir(name),
			"a folder in a config folder: an IOC sees its config folder flat")
	}
	if len(validation.IsConfigMapKey(path.Base(name))) > 0 {
		return nil, diag.Invalidf(name, 0, "use only letters, digits, -, _ and . in its name",
			"a ConfigMap can't have such a file name")
	}
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, diag.Invalidf(name, 0, "replace it by a file", "it can't be read: %w", err)
	}
	return content, nil
}

// hasEntry reports whether a folder has an entry of this name.
func hasEntry(entries []fs.DirEntry, name string) bool {
	for _, e := range entries {
		if e.Name() == name {
			return true
		}
	}
	return false
}
