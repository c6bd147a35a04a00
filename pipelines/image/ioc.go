package image

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/runtimeimage"
)

//go:embed ioc
var application embed.FS

// supervisor is the source of ioc-run and ioc-ask.
//
//go:embed iocrun
var supervisor embed.FS

// iocModule is a support module as the IOC application's templates see it.
type iocModule struct{ Name, Macro, Path string }

// iocData is what the IOC application's templates are filled from.
type iocData struct {
	Modules []iocModule
	DBDs    []string // needs first
	Libs    []string // dependents first: link order
}

// ioc builds the IOC application of img at /epics/ioc on dev, and ioc-run on base.
func (b Builder) ioc(
	ctx context.Context, img *recipe.Image, dev, base *dagger.Container,
) (*dagger.Container, error) {
	app, err := b.render(img)
	if err != nil {
		return nil, err
	}
	if img.IOC.Source != "" {
		own, err := engine.Folder(b.Client, b.Files, path.Join(path.Dir(img.File), img.IOC.Source))
		if err != nil {
			return nil, err
		}
		release := app.File("configure/RELEASE")
		app = own.WithFile("configure/RELEASE", release)
	}
	app = app.WithNewFile("configure/CONFIG_SITE.local", site(img))
	// What it is built on may be an IOC itself.
	if other, err := dev.Exists(ctx, layout.IOC); err != nil {
		return nil, fmt.Errorf("looking for %s: %w", layout.IOC, err)
	} else if other {
		dev = dev.WithoutDirectory(layout.IOC).WithoutDirectory(layout.RunFolder)
	}
	dev, err = dev.WithDirectory(layout.IOC, app).
		WithWorkdir(layout.IOC).
		WithExec(makeAll).
		Sync(ctx)
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "building the IOC of", Asset: string(img.Name), File: img.File,
			Err: engine.Explain(err),
			Fix: engine.Fix(err, "mend "+iocSource(img)+", or the modules that it names"),
		}
	}
	run, err := b.iocRun(ctx, img, base)
	if err != nil {
		return nil, err
	}
	return dev.WithDirectory(layout.RunFolder, run).WithSymlink("bin/"+layout.HostArch+"/ioc", layout.IOC+"/ioc").
		WithEnvVariable("EPICS_DB_INCLUDE_PATH", runtimeimage.DatabasePath(b.Tree, img)), nil
}

// iocData returns what the IOC application of img is made of.
func (b Builder) iocData(img *recipe.Image) (data iocData) {
	modules := b.Tree.IOCModules(img)
	for _, name := range modules {
		mod := b.Tree.Modules[name]
		data.Modules = append(data.Modules, iocModule{name, mod.Macro, layout.Module(name)})
		for _, dbd := range mod.DBDs {
			if !slices.Contains(data.DBDs, dbd) {
				data.DBDs = append(data.DBDs, dbd)
			}
		}
	}
	for _, name := range slices.Backward(modules) {
		data.Libs = append(data.Libs, b.Tree.Modules[name].Libs...)
	}
	return data
}

// iocRun builds ioc-run and ioc-ask on a container with EPICS Base, for an IOC with a
// source of its own too, and returns their folder. It takes longer than most IOCs.
func (b Builder) iocRun(
	ctx context.Context, img *recipe.Image, base *dagger.Container,
) (*dagger.Directory, error) {
	source, err := engine.Folder(b.Client, supervisor, "iocrun")
	if err != nil {
		return nil, fmt.Errorf("carrying the source of ioc-run: %w", err)
	}
	built, err := base.WithMountedDirectory(layout.RunFolder, source).
		WithWorkdir(layout.RunFolder).
		WithExec(makeAll).
		WithExec([]string{"sh", "-c", "rm *.o"}).
		Directory(layout.RunFolder).
		Sync(ctx)
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "building ioc-run for", Asset: string(img.Name), File: img.File,
			Err: engine.Explain(err),
			Fix: engine.Fix(err, "give the image that it is built on a C++ compiler and EPICS Base, or report it"),
		}
	}
	return built, nil
}

// iocSource returns what an IOC is built from, as a person finds it: the folder
// of its own source, or its recipe.
func iocSource(img *recipe.Image) string {
	if img.IOC.Source != "" {
		return path.Join(path.Dir(img.File), img.IOC.Source)
	}
	return "the recipe"
}

// render carries the IOC application of img into the engine.
func (b Builder) render(img *recipe.Image) (*dagger.Directory, error) {
	files, err := b.iocData(img).files()
	if err != nil {
		return nil, fmt.Errorf("writing the IOC application: %w", err)
	}
	dir := b.Client.Directory()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dir = dir.WithNewFile(name, files[name])
	}
	return dir, nil
}

// files returns the files of the IOC application, its templates filled, by name.
func (d iocData) files() (map[string]string, error) {
	files := map[string]string{}
	return files, fs.WalkDir(application, "ioc", func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := application.ReadFile(p)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(p, "ioc/")
		plain, ok := strings.CutSuffix(name, ".tmpl")
		if !ok {
			files[name] = string(text)
			return nil
		}
		t, err := template.New(name).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		var w strings.Builder
		if err := t.Execute(&w, d); err != nil {
			return err
		}
		files[plain] = w.String()
		return nil
	})
}
