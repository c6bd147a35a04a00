package beamline

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Dir is the folder of the tree that holds all beamlines.
const Dir = "beamlines"

// Names returns the names of the tree's beamlines, sorted: the folders of
// beamlines/. A tree without that folder has none.
func Names(fsys fs.FS) ([]asset.Name, error) {
	entries, err := fs.ReadDir(fsys, Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diag.Invalidf(Dir, 0, "replace it by a folder", "it can't be listed: %w", err)
	}
	var names []asset.Name
	for _, e := range entries {
		if e.IsDir() && !hidden(e) {
			names = append(names, asset.Name(e.Name())) // whatever it is: Read says what is no name
		}
	}
	return names, nil
}

// Read reads one beamline with all its instances. The error joins every fault
// of every file, a *diag.Error each, by file and line; there is no Beamline then.
func Read(fsys fs.FS, name asset.Name) (*Beamline, error) { return read(fsys, name, reader{}) }

// ReadValues reads a beamline as Read does, but for the config folders and the lock: an
// Instance has no Config, and what is wrong with that is not found.
func ReadValues(fsys fs.FS, name asset.Name) (*Beamline, error) {
	return read(fsys, name, reader{unmade: true, unread: true})
}

// read reads a beamline, and leaves out what the reader says.
func read(fsys fs.FS, name asset.Name, leaves reader) (*Beamline, error) {
	r := &leaves
	r.fsys, r.probes, r.autosave = fsys, map[string]*Instance{}, map[string]origin{}
	r.told = map[[2]string]bool{}
	bl := r.beamline(name)
	if bl != nil {
		for _, folder := range r.instances(bl) {
			r.instance(bl, folder)
		}
		r.checkFolders()
		if !r.unmade {
			r.lock(bl)
		}
	}
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return bl, nil
}

// Shared reads beamline.yaml alone: a Beamline without Instances. Errors are as
// those of Read.
func Shared(fsys fs.FS, name asset.Name) (*Beamline, error) {
	r := &reader{fsys: fsys}
	bl := r.beamline(name)
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return bl, nil
}

// reader holds what is wrong with a beamline while it is read.
type reader struct {
	fsys   fs.FS
	shared *strictyaml.Doc      // beamline.yaml
	probes map[string]*Instance // by probe PV
	faults diag.Faults

	ports    []hostPort         // of the instances so far
	writable []writable         // folders of all instances
	autosave map[string]origin  // by the name of the claim that has them
	told     map[[2]string]bool // places that a fault of two instances names

	tagged []lockfile.Named // images of services
	unmade bool             // generated config folders and the lock are left out
	unread bool             // all config folders are left out
}

// beamline reads beamline.yaml. It returns nil when the file cannot be read.
func (r *reader) beamline(name asset.Name) *Beamline {
	folder := path.Join(Dir, string(name))
	bl := &Beamline{Name: name, File: path.Join(folder, "beamline.yaml")}
	if problems := validation.IsDNS1123Label(string(name)); len(problems) > 0 {
		r.fault(folder, "rename the folder, as in bl01t",
			"%q can't be a beamline's name: only lower-case letters, digits and -, at most 63", name)
		return nil
	}
	text, err := fs.ReadFile(r.fsys, bl.File)
	if err != nil {
		r.noBeamline(folder, bl)
		return nil
	}
	f, doc, err := beamlineSchema().Read(bl.File, text)
	r.faults.Add(err)
	if f == nil {
		return bl
	}
	r.shared = doc
	bl.Namespace, bl.Values, bl.Generate = f.Namespace, f.Values, f.Generate
	if f.Gate != nil {
		bl.Gate = record.Policy{Approvers: f.Gate.Approvers, Environment: f.Gate.Environment}
	}
	r.checkValues(doc, strictyaml.Path{"values"}, bl.Values, false)
	if doc.Has("values", "probePV") {
		r.faultAt(doc, strictyaml.Path{"values", "probePV"}, "move it to the instances",
			"each IOC has a probe PV of its own")
	}
	return bl
}

// noBeamline adds the fault of a beamline that does not exist or has no beamline.yaml.
func (r *reader) noBeamline(folder string, bl *Beamline) {
	names, _ := Names(r.fsys)
	if slices.Contains(names, bl.Name) {
		r.fault(bl.File, "add it with the beamline's namespace",
			"every folder of %s is a beamline, and this one has no beamline.yaml", Dir)
		return
	}
	fix := "the beamlines here are " + asset.List(names)
	if near := strictyaml.Near(bl.Name, names); near != "" {
		fix = "did you mean \"" + string(near) + "\"?"
	} else if len(names) == 0 {
		fix = "add it"
	}
	r.fault(folder, fix, "there is no beamline %q", bl.Name)
}

// instances returns the names of the instances' folders, sorted.
func (r *reader) instances(bl *Beamline) []string {
	folder := path.Join(Dir, string(bl.Name), "iocs")
	entries, err := fs.ReadDir(r.fsys, folder)
	if err != nil {
		r.fault(folder, "add a folder with values.yaml and config/ for each IOC", "beamline %s has no IOC instances",
			bl.Name)
		return nil
	}
	var names []string
	for _, e := range entries {
		switch {
		case hidden(e):
		case e.IsDir():
			names = append(names, e.Name())
		default:
			r.fault(
				path.Join(folder, e.Name()), "move it to where it belongs",
				"only folders of IOC instances belong here",
			)
		}
	}
	if len(names) == 0 {
		r.fault(folder, "add a folder with values.yaml and config/ for each IOC", "beamline %s has no IOC instances",
			bl.Name)
	}
	return names
}

// hidden reports whether an entry belongs to no asset (.gitkeep).
func hidden(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }

// fault adds a fault of a whole file or folder.
func (r *reader) fault(file, fix, format string, args ...any) {
	r.faults.Addf(file, 0, fix, format, args...)
}

// faultAt adds a fault of the part of a file that path leads to.
func (r *reader) faultAt(doc *strictyaml.Doc, where strictyaml.Path, fix, format string, args ...any) {
	r.faults = append(r.faults, doc.Faultf(where, fix, format, args...))
}
