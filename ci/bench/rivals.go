package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"

	"dagger.io/dagger"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/tagline-ci/tagline/pipelines/image"
)

// packages returns the Debian packages that the root's recipe asks for.
func (b *bench) packages() string {
	return strings.Join(b.recipes.Packages(b.recipes.Images[root]), " ")
}

// fresh returns a copy of the base image that no cache has seen: with one more
// layer, which names who it is for.
func (b *bench) fresh(ctx context.Context, rival string) (string, error) {
	from, err := name.ParseReference(b.registry + "/library/debian:trixie-slim")
	if err != nil {
		return "", err
	}
	img, err := remote.Image(from, remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", from, err)
	}
	layer, err := marker(rival + b.stamp)
	if err != nil {
		return "", err
	}
	if img, err = mutate.AppendLayers(img, static.NewLayer(layer, types.DockerUncompressedLayer)); err != nil {
		return "", err
	}
	ref := b.registry + "/bench/debian:" + rival + "-" + b.stamp
	to, err := name.ParseReference(ref)
	if err != nil {
		return "", err
	}
	return ref, remote.Write(to, img, remote.WithContext(ctx))
}

// iocSource is the IOC application as Tagline wrote it, before make.
func (b *bench) iocSource(built *image.Image) *dagger.Directory {
	return built.Developer.Directory("/epics/ioc").
		WithoutDirectory("bin").WithoutDirectory("lib").WithoutDirectory("dbd").WithoutDirectory("include").
		WithoutDirectory("iocApp/src/O.Common").WithoutDirectory("iocApp/src/O.linux-x86_64").
		WithoutDirectory("configure/O.Common").WithoutDirectory("configure/O.linux-x86_64").
		WithoutFile("ioc")
}

// plainScript builds with make alone. Its parameters are in its first lines.
//
//go:embed plain.sh
var plainScript string

// moduleList is what plainScript reads: a module a line, and what it needs.
func moduleList() string {
	var w strings.Builder
	for _, m := range modules {
		fmt.Fprintln(&w, m.Name, strings.Join(m.Needs, " "))
	}
	return w.String()
}

// baseSource returns where EPICS Base is cloned from and at which tag, as its
// recipe has it.
func (b *bench) baseSource() (url, ref string) {
	base := b.recipes.Images[root].Modules[0]
	return b.mirrors.Of(b.recipes.Modules[base.Name].Git), base.Ref
}

// plain runs make on the same sources one after the other in one container, and
// returns how long that took, and the seconds of processor time.
func (b *bench) plain(ctx context.Context, app *dagger.Directory) (took, cpu time.Duration, err error) {
	base, err := b.fresh(ctx, "plain")
	if err != nil {
		return 0, 0, err
	}
	url, ref := b.baseSource()
	var out string
	took, err = timed("make -j, one after the other", func() (err error) {
		out, err = b.Container().From(base).
			WithEnvVariable("PACKAGES", b.packages()).
			WithEnvVariable("BASE_URL", url).WithEnvVariable("BASE_REF", ref).
			WithDirectory("/src", b.Host().Directory(b.site.dir)).WithDirectory("/app", app).
			WithNewFile("/src/modules.list", moduleList()).WithNewFile("/build.sh", plainScript).
			WithExec([]string{"bash", "-c",
				"TIMEFORMAT='%U %S'; time bash /build.sh >/build.log 2>&1 || { tail -30 /build.log; exit 1; }"}).
			Stderr(ctx)
		return err
	})
	if err != nil {
		return took, 0, err
	}
	return took, processorTime(out), nil
}

// processorTime adds up the seconds that bash's time prints.
func processorTime(text string) (sum time.Duration) {
	for _, word := range strings.Fields(text) {
		if seconds, err := strconv.ParseFloat(word, 64); err == nil {
			sum += time.Duration(seconds * float64(time.Second))
		}
	}
	return sum
}

//go:embed Dockerfile.tmpl
var dockerfileText string

var dockerfileTemplate = template.Must(template.New("Dockerfile").
	Funcs(template.FuncMap{"macro": strings.ToUpper}).Parse(dockerfileText))

// dockerfile returns the same steps in one line, as sites write them.
func (b *bench) dockerfile(base string) (string, error) {
	url, ref := b.baseSource()
	var w strings.Builder
	err := dockerfileTemplate.Execute(&w, map[string]any{
		"Base": base, "Packages": b.packages(), "BaseURL": url, "BaseRef": ref, "Modules": modules})
	return w.String(), err
}

// linear builds that Dockerfile on the same engine: cold, and with the leaf changed.
func (b *bench) linear(ctx context.Context, app *dagger.Directory, r *result) error {
	base, err := b.fresh(ctx, "linear")
	if err != nil {
		return err
	}
	dockerfile, err := b.dockerfile(base)
	if err != nil {
		return err
	}
	sources := b.Host().Directory(b.site.dir, dagger.HostDirectoryOpts{Include: []string{"modules"}})
	files := b.Directory().WithDirectory("/", sources).WithDirectory("app", app).WithNewFile("Dockerfile", dockerfile)
	if r.linear, err = timed("one linear Dockerfile, cold", func() error { return docker(ctx, files) }); err != nil {
		return err
	}
	text, err := os.ReadFile(b.site.dir + "/" + leafSource)
	if err != nil {
		return err
	}
	files = files.WithNewFile(leafSource, string(text)+"\nint changed;\n")
	r.linearLeaf, err = timed(
		"one linear Dockerfile, one leaf module changed", func() error { return docker(ctx, files) },
	)
	return err
}

// docker builds both targets of a Dockerfile.
func docker(ctx context.Context, files *dagger.Directory) error {
	for _, target := range []string{"developer", "runtime"} {
		if _, err := files.DockerBuild(dagger.DirectoryDockerBuildOpts{Target: target}).Sync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// size is what a container takes in a registry, compressed.
func size(ctx context.Context, c *dagger.Container) (int, error) {
	return c.AsTarball(dagger.ContainerAsTarballOpts{ForcedCompression: dagger.ImageLayerCompressionGzip}).Size(ctx)
}
