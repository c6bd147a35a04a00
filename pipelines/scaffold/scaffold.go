// Package scaffold holds the files that a repository begins with, and those of a
// new generic IOC, support module, beamline or instance in one.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

//go:embed all:files
var files embed.FS

// workflowParts are the steps that all workflows have.
//
//go:embed workflow.tmpl
var workflowParts string

// Files are texts by path, from the root of the repository.
type Files map[string]string

// data is what the templates are filled from.
type data struct {
	Repository
	Tag    asset.Tag // the first to be released: "ioc-magnets/1.0.0"
	Name   string    // of the image, module or beamline
	Prefix string    // of the instance's PVs: "BL01T-EA-IOC-01"
	Image  asset.Pin // what is built on or run
	Git    string    // URL of a support module's source
	Ref    string    // the git ref of it that is built
	Macro  string    // of a support module: "ASYN"
}

// Image returns a generic IOC that is built on a released image and has the
// records of EPICS Base alone: support modules are added to it.
func (r Repository) Image(name string, from asset.Pin) (Files, error) {
	if err := label("a generic IOC", name); err != nil {
		return nil, err
	}
	return fill("image", path.Join(recipe.Dir, name), data{Repository: r, Name: name, Image: from})
}

// Support returns an image of support modules, with a first one of the same name:
// generic IOCs are built on it. git and ref say where the source is.
func (r Repository) Support(name, git, ref string, from asset.Pin) (Files, error) {
	if err := label("an image", name); err != nil {
		return nil, err
	}
	all, err := fill("support", path.Join(recipe.Dir, name), data{Repository: r, Name: name, Ref: ref, Image: from})
	if err != nil {
		return nil, err
	}
	module, err := r.Module(name, git)
	maps.Copy(all, module)
	return all, err
}

// notOfMacro is what no macro of a makefile has.
var notOfMacro = regexp.MustCompile(`[^A-Z0-9]+`)

// Module returns a support module whose source is in git.
func (r Repository) Module(name, git string) (Files, error) {
	if !recipe.IsModuleName(name) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "naming a support module", Asset: name,
			Err: errors.New("only letters, digits, - and _, at most 63"), Fix: "name it as in asyn or ADCore",
		}
	}
	macro := notOfMacro.ReplaceAllString(strings.ToUpper(name), "_")
	if macro[0] >= '0' && macro[0] <= '9' {
		macro = "_" + macro
	}
	filled, err := fill("module", "", data{Repository: r, Git: git, Macro: macro})
	return Files{path.Join(recipe.Dir, "support", name+".yaml"): filled["module.yaml"]}, err
}

// Beamline returns a beamline with one instance, which runs a released generic
// IOC.
func (r Repository) Beamline(name, instance string, image asset.Pin) (Files, error) {
	if err := label("a beamline", name); err != nil {
		return nil, err
	}
	all, err := fill("beamline", path.Join("beamlines", name), data{Repository: r, Name: name})
	if err != nil {
		return nil, err
	}
	first, err := r.Instance(name, instance, image)
	maps.Copy(all, first)
	return all, err
}

// Instance returns an instance of a beamline. Its name begins with the beamline's.
func (r Repository) Instance(beamline, name string, image asset.Pin) (Files, error) {
	if err := label("an IOC instance", name); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(name, beamline+"-") {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "naming an IOC instance", Asset: name,
			Err: fmt.Errorf("it does not begin with %s-, the name of its beamline", beamline),
			Fix: "name it as in " + beamline + "-mo-ioc-01",
		}
	}
	return fill(
		"instance", path.Join("beamlines", beamline, "iocs", name),
		data{Repository: r, Prefix: strings.ToUpper(name), Image: image},
	)
}

// Root returns the root of a hierarchy, the image of EPICS Base, as Tagline's own
// repository has it.
func (r Repository) Root() (Files, error) {
	return r.Carried(path.Join(recipe.Dir, "epics-base"), path.Join(recipe.Dir, "support", "epics-base.yaml"))
}

// LibraryChart returns the library chart that Tagline carries, to be changed.
func LibraryChart() (Files, error) { return Repository{}.Carried("charts/ioc-lib") }

// ownSchemas is where the files of Tagline's own repository have their schemas.
var ownSchemas = regexp.MustCompile(`\$schema=(?:\.\./)+docs/schemas/`)

// Carried returns files and folders that Tagline carries, named by their paths in its
// own repository, as another one has them: their schemas are elsewhere.
func (r Repository) Carried(names ...string) (Files, error) {
	all := Files{}
	for _, root := range names {
		err := fs.WalkDir(tagline.Assets, root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(tagline.Assets, name)
			all[name] = ownSchemas.ReplaceAllLiteralString(string(text), "$schema="+r.Schemas()+"/")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fill returns the files of a set of templates, below a folder. Templates have
// other marks than usual, as GitHub's workflows use the usual ones.
func fill(set, folder string, d data) (Files, error) {
	all := Files{}
	root := path.Join("files", set)
	err := fs.WalkDir(files, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := template.New(name).Delims("<<", ">>").Parse(workflowParts)
		if err == nil {
			parsed, err = parsed.Parse(string(text))
		}
		if err != nil {
			return err
		}
		var filled bytes.Buffer
		if err := parsed.Execute(&filled, d); err != nil {
			return err
		}
		all[path.Join(folder, strings.TrimPrefix(name, root+"/"))] = filled.String()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("writing the files of %s: %w", set, err)
	}
	return all, nil
}

// label refuses what can't be the name of a folder of assets.
func label(what, name string) error {
	if len(validation.IsDNS1123Label(name)) == 0 {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "naming " + what, Asset: name,
		Err: errors.New("only lower-case letters, digits and -, at most 63"),
		Fix: "name it as in ioc-simstage, bl01t or bl01t-mo-ioc-01",
	}
}
