package beamline

import (
	"io/fs"
	"path"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// SourcesFolder is the folder, of an instance or of a beamline, that holds what config
// folders are made from.
const SourcesFolder = "generate"

// Generator is the command that makes an instance's config folder. What it makes is
// committed: it is read, compared and reviewed as what is written by hand.
type Generator struct {
	Image   asset.Pin // in whose developer image it runs
	Command []string  // the program and its arguments
	File    string    // that names them: values.yaml or beamline.yaml, from the root
	// Folders hold its sources, from the root: the beamline's, where it has one, and
	// then the instance's, whose files go over the beamline's.
	Folders []string
}

// Generate is the generate key of beamline.yaml, or of an instance's values.yaml, as
// people write it.
type Generate struct {
	Image   pin      `json:"image,omitempty" jsonschema_description:"The image, at a released version, in whose developer target the command runs. The instance's generic IOC when left out."`
	Command []string `json:"command" jsonschema:"minItems=1,minLength=1,example=msi" jsonschema_description:"The program and its arguments. It runs in a folder with the files of generate/, and writes the config folder to /epics/config."`
}

// HasSources reports whether the config folder of an instance is made: whether the
// instance's folder has one of sources.
func HasSources(fsys fs.FS, folder string) bool {
	return isFolder(fsys, path.Join(folder, SourcesFolder))
}

// ReadUnmade reads a beamline as Read does, but for what Tagline makes: the lock, and
// the config folders that are generated, need not be there, and are not read.
func ReadUnmade(fsys fs.FS, name asset.Name) (*Beamline, error) {
	return read(fsys, name, reader{unmade: true})
}

// generator returns what makes the config folder of an instance; nil where it has no
// sources and is written by hand.
func (r *reader) generator(bl *Beamline, inst *Instance, f *instanceFile, doc *strictyaml.Doc) *Generator {
	key := strictyaml.Path{"generate"}
	folder := path.Join(inst.Folder, SourcesFolder)
	written, file, at := f.Generate, inst.File, doc
	if written == nil {
		written, file, at = bl.Generate, bl.File, r.shared
	}
	switch {
	case !inst.sources:
		if f.Generate != nil {
			r.faultAt(doc, key, "add it, with what config/ is made from",
				"the instance has no folder %s/", SourcesFolder)
		}
		return nil
	case written == nil:
		r.fault(folder, "add generate with a command to values.yaml or beamline.yaml",
			"nothing says how config/ is made from it")
		return nil
	}
	g := &Generator{Image: inst.Image, Command: written.Command, File: file, Folders: []string{folder}}
	if shared := path.Join(Dir, string(bl.Name), SourcesFolder); isFolder(r.fsys, shared) {
		g.Folders = []string{shared, folder}
	}
	if pinned.MatchString(string(written.Image)) { // the schema refuses anything else
		var err error
		if g.Image, err = asset.ParsePin(string(written.Image)); err != nil {
			r.faults.Add(at.At(append(key, "image"), err))
		}
	}
	return g
}

// isFolder reports whether a tree has a folder of this name.
func isFolder(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}
