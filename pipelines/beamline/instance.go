package beamline

import (
	"encoding/json"
	"io/fs"
	"path"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// maxName is the length of an instance's name: Helm takes no longer name of a
// release.
const maxName = 53

// instance reads one instance's folder into bl.
func (r *reader) instance(bl *Beamline, name string) {
	folder := path.Join(Dir, string(bl.Name), "iocs", name)
	inst := &Instance{Name: name, Folder: folder, File: path.Join(folder, "values.yaml")}
	bl.Instances = append(bl.Instances, inst)
	r.checkName(bl, inst)
	r.checkFolder(inst)
	defer r.readConfig(inst) // when it is known what the instance is
	text, err := fs.ReadFile(r.fsys, inst.File)
	if err != nil {
		r.fault(inst.File, "add it with image and probePV",
			"every folder of iocs is an IOC instance, and this one has no values.yaml")
		return
	}
	f, doc, err := instanceSchema().Read(inst.File, text)
	r.faults.Add(err)
	if f == nil {
		return
	}
	r.readWhat(inst, f, doc)
	inst.written = written(f.Values, doc)
	inst.Values = inst.Under(bl.Values)
	r.checkValues(doc, nil, f.Values, inst.Foreign != nil)
	r.checkProbe(inst, doc)
	inst.Generator = r.generator(bl, inst, f, doc)
	o := origins{inst, bl, doc, r.shared}
	r.checkServiceContainer(o)
	r.checkOpi(o)
	r.checkPorts(o)
	r.checkMounts(o)
	r.keep(o)
}

// readConfig reads an instance's config folder.
func (r *reader) readConfig(inst *Instance) {
	folder := path.Join(inst.Folder, "config")
	switch {
	case r.unread:
	case inst.Service != "" && !isFolder(r.fsys, folder): // it needs none
	case inst.Service != "":
		var err error
		inst.Config, err = startup.Files(r.fsys, folder)
		r.faults.Add(err)
		if inst.InImage() {
			fix := "mount a volume from the chart's templates"
			if inst.Foreign != nil {
				fix = "mount them from below volumes"
			}
			r.fault(folder, fix,
				"a service has no image of its own for folders, or for more than %d KiB", maxMounted>>10)
		}
	case inst.sources && r.unmade:
	case inst.sources && !isFolder(r.fsys, folder):
		r.fault(folder, "make it: tagline generate "+path.Base(path.Dir(path.Dir(inst.Folder)))+" "+inst.Name,
			"it is made from %s/, and was not made yet", SourcesFolder)
	default:
		var err error
		inst.Config, err = startup.Config(r.fsys, folder)
		r.faults.Add(err)
	}
}

// overlay returns the beamline's values with an instance's own over them: maps
// are merged by key, anything else that the instance has written replaces the
// beamline's.
func overlay(shared Values, own map[string]any) Values {
	merged := shared
	for key, field := range merged.byKey() {
		value, ok := own[key]
		if !ok {
			continue
		}
		if kind := field.Kind(); field.IsZero() || kind != reflect.Map && kind != reflect.Pointer {
			field.Set(reflect.ValueOf(value))
			continue
		}
		// The maps and what is pointed to are the beamline's still: of each a new one.
		both := reflect.New(field.Type())
		for _, v := range []any{field.Interface(), value} {
			text, err := json.Marshal(v)
			if err == nil {
				err = json.Unmarshal(text, both.Interface())
			}
			if err != nil {
				panic(err) // Values are plain data
			}
		}
		field.Set(both.Elem())
	}
	return merged
}

// written returns the values that an instance's file has, empty ones too.
func written(own Values, doc *strictyaml.Doc) map[string]any {
	all := map[string]any{}
	for key, field := range own.byKey() {
		if doc.Has(key) {
			all[key] = field.Interface()
		}
	}
	return all
}

// checkName wants a name that Helm and Kubernetes take, and that shows the
// beamline: instances of all beamlines are charts side by side in a registry.
func (r *reader) checkName(bl *Beamline, inst *Instance) {
	switch {
	case !strings.HasPrefix(inst.Name, string(bl.Name)+"-"):
		r.fault(inst.Folder, "rename the folder, or move it to its beamline",
			"the name of an IOC instance begins with its beamline's, %s-", bl.Name)
	case len(inst.Name) > maxName:
		r.fault(inst.Folder, "shorten it", "the name has %d letters, and a Helm release has at most %d", len(inst.Name),
			maxName)
	case len(validation.IsDNS1123Label(inst.Name)) > 0:
		r.fault(inst.Folder, "rename the folder, as in "+string(bl.Name)+"-mo-ioc-01",
			"%q can't be an instance's name: only lower-case letters, digits and -", inst.Name)
	}
}

// checkFolder refuses what an instance's folder has no use for, and tells
// whether the instance brings a chart of its own.
func (r *reader) checkFolder(inst *Instance) {
	entries, err := fs.ReadDir(r.fsys, inst.Folder)
	if err != nil {
		r.fault(inst.Folder, "replace it by a folder", "it can't be listed: %w", err)
	}
	has := map[string]bool{}
	for _, e := range entries {
		has[e.Name()] = true
		switch e.Name() {
		case "values.yaml", "config", SourcesFolder, "Chart.yaml", "templates", "README.md":
		default:
			if !hidden(e) {
				r.fault(path.Join(inst.Folder, e.Name()), "move it into config/ if the IOC reads it",
					"an IOC instance is values.yaml, config/ and, where it is not an ordinary one, generate/, "+
						"or Chart.yaml and templates/")
			}
		}
	}
	if has["Chart.yaml"] != has["templates"] {
		r.fault(inst.Folder, "add the other, or remove it", "Chart.yaml and templates/ come together")
	}
	inst.Chart = has["Chart.yaml"] && has["templates"]
	inst.sources = has[SourcesFolder] && HasSources(r.fsys, inst.Folder)
	r.readOwn(inst)
}
