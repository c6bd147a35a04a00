package beamline

import (
	"io/fs"
	"path"
	"strings"
)

// readOwn reads the chart files that an instance brings: Chart.yaml and
// everything below templates/.
func (r *reader) readOwn(inst *Instance) {
	if !inst.Chart {
		return
	}
	inst.Own = map[string][]byte{}
	for _, name := range []string{"Chart.yaml", "templates"} {
		file := path.Join(inst.Folder, name)
		err := fs.WalkDir(r.fsys, file, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			inst.Own[strings.TrimPrefix(file, inst.Folder+"/")], err = fs.ReadFile(r.fsys, file)
			return err
		})
		if err != nil {
			r.fault(file, "make it a file, or a folder of files", "it can't be read: %w", err)
		}
	}
}
