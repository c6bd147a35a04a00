package lockfile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// imagesName is the name of a beamline's lock file, beside its beamline.yaml.
const imagesName = "beamline.lock.yaml"

// Named is a container image that a file names by its tag.
type Named struct {
	Image string // "ghcr.io/some-org/pyioc:1.2.3"
	File  string // from the root
	Line  int
}

// images is a beamline's lock file.
type images struct {
	Images map[string]pinned `json:"images" yaml:"images" jsonschema_description:"The container images of services by digest, by the name that values.yaml has for them."`
}

// pinned is a container image by its digest.
type pinned string

// JSONSchema says what such an image looks like.
func (pinned) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("container image by digest", `^[^\s@]+@sha256:[0-9a-f]{64}$`,
		"ghcr.io/some-org/pyioc:1.2.3@sha256:97b037379843f0958ec61280d628a4256e0fe701c6e91c5ae76f2117bb75dbb0")
}

var imagesSchema = sync.OnceValue(func() *strictyaml.Schema[images] {
	return strictyaml.New[images]("Lock file of a beamline",
		"beamlines/<name>/beamline.lock.yaml: what the tags of services' images stood for. tagline lock writes it.")
})

// ImagesPath returns where the lock file of a beamline is, by the path of its beamline.yaml.
func ImagesPath(beamline string) string { return path.Join(path.Dir(beamline), imagesName) }

// ImagesText returns the lock file of images by the names that they have in the files:
// the same bytes for the same images, and nothing for none, which need no file.
func ImagesText(locked map[string]string) ([]byte, error) {
	if len(locked) == 0 {
		return nil, nil
	}
	all := images{map[string]pinned{}}
	for named, image := range locked {
		all.Images[named] = pinned(image)
	}
	text, err := yaml.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("writing a lock file: %w", err)
	}
	return append([]byte("# Written by tagline lock; commit it with values.yaml.\n"), text...), nil
}

// ReadImages reads the lock file of a beamline, by the path of its beamline.yaml, and
// returns the images by digest by their names. The error joins every image that is not
// locked, or locked and not named, a *diag.Error each, by file and line.
func ReadImages(fsys fs.FS, beamline string, named []Named) (map[string]string, error) {
	file := ImagesPath(beamline)
	fix := fmt.Sprintf("run: tagline lock %s, and commit %s", path.Base(path.Dir(beamline)), file)
	var faults diag.Faults
	var all *images
	var doc *strictyaml.Doc
	text, err := fs.ReadFile(fsys, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		all = &images{}
	case err != nil:
		return nil, diag.Invalidf(file, 0, "replace it by a file", "it can't be read: %w", err)
	default:
		if all, doc, err = imagesSchema().Read(file, text); err != nil {
			return nil, err
		}
	}
	wanted := map[string]bool{}
	for _, n := range named {
		if wanted[n.Image] = true; all.Images[n.Image] == "" {
			faults.Addf(n.File, n.Line, fix, "%s is not locked: nothing says which content is meant by it", n.Image)
		}
	}
	locked := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(all.Images)) {
		at := strictyaml.Path{"images", name}
		image := string(all.Images[name])
		switch {
		case !wanted[name]:
			faults.Add(doc.Faultf(at, fix, "%s is locked, and no service names it", name))
		case !sameImage(name, image):
			faults.Add(doc.Faultf(at, fix, "%s is locked as %s, which is another image", name, image))
		}
		locked[name] = image
	}
	return locked, faults.Err()
}

// ImageDrifts compares the locked images of a beamline with what their names stand for now.
func ImageDrifts(beamline asset.Name, locked, now map[string]string) []Drift {
	var all []Drift
	for _, name := range union(locked, now) {
		if locked[name] != now[name] {
			all = append(all, Drift{beamline, name, locked[name], now[name]})
		}
	}
	return all
}
