package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/charts"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const (
	chartFile  = "Chart.yaml"
	schemaFile = "values.schema.json"
	// chartsFolder is where a repository keeps its library charts.
	chartsFolder = "charts"
	// instancesLibrary is the library chart of a repository's own instances.
	instancesLibrary = "ioc-lib"
	// libraryFolder is where the repository keeps that; errors name files below it.
	libraryFolder = chartsFolder + "/" + instancesLibrary
)

// Library is a library chart, read once for all charts on it. It may be used
// from many goroutines at once.
type Library struct {
	meta  helm.Metadata
	files map[string][]byte // by their path in its folder
}

// HasLibrary reports whether a tree has a library chart of its own.
func HasLibrary(tree fs.FS) bool {
	_, err := fs.Stat(tree, libraryFolder)
	return !errors.Is(err, fs.ErrNotExist)
}

// Unpack reads a library chart that was packaged.
func Unpack(packed []byte) (*Library, error) {
	c, err := loader.LoadArchive(bytes.NewReader(packed))
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "reading a released library chart", Err: err,
			Fix: "name another version of the library chart in tagline.yaml"}
	}
	l := &Library{files: map[string][]byte{}}
	for _, f := range c.Raw {
		l.files[f.Name] = f.Data
	}
	return l, l.check(libraryFolder)
}

// LibraryOf reads the library chart of a tree, charts/ioc-lib, or the one that
// this program carries where the tree has none.
func LibraryOf(tree fs.FS) (*Library, error) {
	if !HasLibrary(tree) {
		return ReadLibrary(charts.Library())
	}
	return LibraryNamed(tree, instancesLibrary)
}

// LibraryNamed reads a library chart of a tree by the name of its folder in
// charts/, which must be that of the chart.
func LibraryNamed(tree fs.FS, name string) (*Library, error) {
	folder := path.Join(chartsFolder, name)
	if _, err := asset.ParseName(name); err != nil {
		return nil, diag.Invalidf(
			folder, 0, "rename the folder, as in "+instancesLibrary,
			"%q can't be a library chart's name: only lower-case letters and digits, with single -, . or _ between", name,
		)
	}
	sub, err := fs.Sub(tree, folder)
	if err != nil {
		return nil, err
	}
	l, err := readLibrary(sub, folder)
	if err == nil && l.meta.Name != name {
		return nil, libraryFault(path.Join(folder, chartFile), "write name: "+name, fmt.Errorf(
			"the chart is called %q, and its folder %s", l.meta.Name, name,
		))
	}
	return l, err
}

// ReadLibrary reads every file of the library chart's folder (charts/ioc-lib).
// What is wrong with it is a diag.Error of kind Invalid.
func ReadLibrary(lib fs.FS) (*Library, error) { return readLibrary(lib, libraryFolder) }

// readLibrary reads a library chart; errors name the folder that it is in.
func readLibrary(lib fs.FS, folder string) (*Library, error) {
	l := &Library{files: map[string][]byte{}}
	err := fs.WalkDir(lib, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		l.files[path], err = fs.ReadFile(lib, path)
		return err
	})
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading library chart", File: folder, Err: err,
			Fix: "mend the files of the library chart"}
	}
	if err := l.check(folder); err != nil {
		return nil, err
	}
	return l, nil
}

// check reads the library's metadata, and refuses what is no library chart.
func (l *Library) check(folder string) error {
	fault := func(file, fix string, err error) error { return libraryFault(path.Join(folder, file), fix, err) }
	if err := yaml.UnmarshalStrict(l.files[chartFile], &l.meta); err != nil {
		return fault(chartFile, "correct Chart.yaml", err)
	}
	if l.meta.Type != "library" {
		return fault(chartFile, "write type: library", fmt.Errorf("type is %q, not library", l.meta.Type))
	}
	if !bytes.HasPrefix(bytes.TrimSpace(l.files[schemaFile]), []byte("{")) {
		return fault(schemaFile, "restore it from git", fmt.Errorf("the schema of the values is missing"))
	}
	return nil
}

// withVersion returns the library's files with version in its Chart.yaml.
func (l *Library) withVersion(version string) (map[string][]byte, error) {
	meta := l.meta
	meta.Version = version
	b, err := yaml.Marshal(meta)
	if err != nil {
		return nil, libraryFault(path.Join(libraryFolder, chartFile), "correct Chart.yaml", err)
	}
	files := maps.Clone(l.files)
	files[chartFile] = b
	return files, nil
}

func libraryFault(file, fix string, err error) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "reading library chart", File: file, Fix: fix, Err: err}
}
