package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
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
func (b *bench) fresh(ctx context.Context, who string) (string, error) {
	from, err := name.ParseReference(b.registry + "/library/debian:trixie-slim")
	if err != nil {
		return "", err
	}
	img, err := remote.Image(from, remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("pulling %s: %w", from, err)
	}
	layer, err := marker(who + b.stamp)
	if err != nil {
		return "", err
	}
	if img, err = mutate.AppendLayers(img, static.NewLayer(layer, types.DockerUncompressedLayer)); err != nil {
		return "", err
	}
	ref := b.registry + "/bench/debian:" + who + "-" + b.stamp
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

// clone is the command that fetches EPICS Base as its recipe names it.
func (b *bench) clone() string {
	base := b.recipes.Images[root].Modules[0]
	url := b.mirrors.Of(b.recipes.Modules[base.Name].Git)
	return "git clone -q --depth=1 --recurse-submodules --shallow-submodules -b " + base.Ref + " " + url + " /epics/epics-base"
}

// releaseLines say where a module's needs are.
func releaseLines(needs []string) string {
	var w strings.Builder
	for _, n := range needs {
		fmt.Fprintf(&w, `%s = /epics/support/%s\n`, strings.ToUpper(n), n)
	}
	return w.String() + `EPICS_BASE = /epics/epics-base\n`
}

// plain runs make on the same sources one after the other in one container, and
// returns how long that took, and the seconds of processor time.
func (b *bench) plain(ctx context.Context, app *dagger.Directory) (took, cpu time.Duration, err error) {
	base, err := b.fresh(ctx, "plain")
	if err != nil {
		return 0, 0, err
	}
	var script strings.Builder
	script.WriteString("set -e\nexport EPICS_HOST_ARCH=linux-x86_64\n")
	fmt.Fprintf(&script, "apt-get update -q\napt-get install -qy --no-install-recommends %s\n%s\n", b.packages(), b.clone())
	script.WriteString("make -j$(nproc) -C /epics/epics-base\n")
	for _, m := range modules {
		fmt.Fprintf(&script, "cp -r /src/modules/%[1]s /epics/support/\nprintf '%[2]s' >/epics/support/%[1]s/configure/RELEASE.local\nmake -j$(nproc) -C /epics/support/%[1]s\n", m.name, releaseLines(m.needs))
	}
	script.WriteString("cp -r /app /epics/ioc\nmake -j$(nproc) -C /epics/ioc\n")
	var out string
	took, err = timed("make -j, one after the other", func() (err error) {
		out, err = b.Container().From(base).
			WithEnvVariable("DEBIAN_FRONTEND", "noninteractive").
			WithDirectory("/src", b.Host().Directory(b.site.dir)).WithDirectory("/app", app).
			WithNewFile("/build.sh", script.String()).
			WithExec([]string{"bash", "-c", "mkdir -p /epics/support; TIMEFORMAT='%U %S'; time bash /build.sh >/build.log 2>&1 || { tail -30 /build.log; exit 1; }"}).
			Stderr(ctx)
		return err
	})
	if err != nil {
		return took, 0, err
	}
	for _, text := range strings.Fields(out) {
		if seconds, err := strconv.ParseFloat(text, 64); err == nil {
			cpu += time.Duration(seconds * float64(time.Second))
		}
	}
	return took, cpu, nil
}

// dockerfile does the same steps in one line, as sites write them.
func (b *bench) dockerfile(base string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "FROM %s AS developer\nENV EPICS_HOST_ARCH=linux-x86_64 DEBIAN_FRONTEND=noninteractive\n", base)
	fmt.Fprintf(&w, "RUN apt-get update -q && apt-get install -qy --no-install-recommends %s && rm -rf /var/lib/apt/lists/*\n", b.packages())
	fmt.Fprintf(&w, "RUN %s && make -j$(nproc) -C /epics/epics-base && make -C /epics/epics-base clean\n", b.clone())
	for _, m := range modules {
		fmt.Fprintf(&w, "COPY modules/%[1]s /epics/support/%[1]s\nRUN printf '%[2]s' >/epics/support/%[1]s/configure/RELEASE.local && make -j$(nproc) -C /epics/support/%[1]s && make -C /epics/support/%[1]s clean\n", m.name, releaseLines(m.needs))
	}
	w.WriteString("COPY app /epics/ioc\nRUN make -j$(nproc) -C /epics/ioc && make -C /epics/ioc clean\n")
	// What sites do for a small image: the folders of binaries and definitions, stripped.
	w.WriteString("RUN for d in /epics/epics-base /epics/support/* /epics/ioc; do for f in bin lib dbd db; do [ -d $d/$f ] || continue; mkdir -p /run-time$d; cp -r $d/$f /run-time$d/; done; done; find /run-time -name '*.a' -delete; find /run-time -type f -exec strip --strip-unneeded {} + 2>/dev/null || true\n")
	fmt.Fprintf(&w, "FROM %s AS runtime\nRUN apt-get update -q && apt-get install -qy --no-install-recommends libreadline8t64 && rm -rf /var/lib/apt/lists/*\nCOPY --from=developer /run-time /\n", base)
	return w.String()
}

// linear builds that Dockerfile on the same engine: cold, and with the leaf changed.
func (b *bench) linear(ctx context.Context, app *dagger.Directory, r *result) error {
	base, err := b.fresh(ctx, "linear")
	if err != nil {
		return err
	}
	sources := b.Host().Directory(b.site.dir, dagger.HostDirectoryOpts{Include: []string{"modules"}})
	files := b.Directory().WithDirectory("/", sources).WithDirectory("app", app).WithNewFile("Dockerfile", b.dockerfile(base))
	if r.linear, err = timed("one linear Dockerfile, cold", func() error { return docker(ctx, files) }); err != nil {
		return err
	}
	text, err := os.ReadFile(b.site.dir + "/" + leafSource)
	if err != nil {
		return err
	}
	files = files.WithNewFile(leafSource, string(text)+"\nint changed;\n")
	r.linearLeaf, err = timed("one linear Dockerfile, one leaf module changed", func() error { return docker(ctx, files) })
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
