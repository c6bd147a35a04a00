// Bench measures what docs/performance.md promises, as ratios within one run:
// the same hierarchy built by Tagline, by make alone, and by one linear
// Dockerfile, on the same engine. The environment is that of `tagline env`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/ci/page"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

func main() {
	file := flag.String("page", "", "write the table to this page too: docs/performance.md")
	command := flag.String("tagline", "bin/tagline", "the tagline command to measure")
	flag.Parse()
	if err := run(context.Background(), *command, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command, file string) error {
	mirrors, err := source.ParseMirrors(strings.Split(os.Getenv("TAGLINE_MIRRORS"), ","))
	if err != nil {
		return err
	}
	if command, err = filepath.Abs(command); err != nil {
		return err
	}
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(nil))
	if err != nil {
		return err
	}
	defer client.Close()
	dir, err := os.MkdirTemp("", "tagline-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{Client: client, registry: os.Getenv("TAGLINE_REGISTRY"), mirrors: mirrors, command: command,
		stamp: time.Now().Format("20060102150405"), site: &site{dir: dir}}
	result, err := b.measure(ctx)
	if err != nil {
		return err
	}
	text := result.table(page.Machine())
	fmt.Print(text)
	if file == "" {
		return nil
	}
	return page.Rewrite(file, "bench", text)
}

// bench is one run.
type bench struct {
	*dagger.Client
	registry, command, stamp string
	mirrors                  source.Mirrors
	site                     *site
	recipes                  *recipe.Tree // of the site
}

// measure does everything once, one after the other, so that nothing shares
// the processors with what is being timed.
func (b *bench) measure(ctx context.Context) (*result, error) {
	var r result
	if err := b.site.make(); err != nil {
		return nil, err
	}
	var err error
	if b.recipes, err = recipefile.Read(os.DirFS(b.site.dir)); err != nil {
		return nil, err
	}
	base, err := b.fresh(ctx, "ours")
	if err != nil {
		return nil, err
	}
	if err := b.site.root(base); err != nil {
		return nil, err
	}
	if err := b.tagline(ctx, "lock"); err != nil {
		return nil, err
	}
	if err := b.site.commit("Lock the benchmark"); err != nil {
		return nil, err
	}
	var built *image.Image
	if r.cold, err = timed("Tagline, cold", func() (err error) { built, err = b.build(ctx); return err }); err != nil {
		return nil, err
	}
	if r.again, err = timed("tagline check, whole", func() error { return b.check(ctx) }); err != nil {
		return nil, err
	}
	if r.again, err = timed("tagline check, whole, again", func() error { return b.check(ctx) }); err != nil {
		return nil, err
	}
	if r.developer, err = size(ctx, built.Developer); err != nil {
		return nil, err
	}
	if r.runtime, err = size(ctx, built.Runtime); err != nil {
		return nil, err
	}
	app := b.iocSource(built)
	if r.plain, r.cpu, err = b.plain(ctx, app); err != nil {
		return nil, err
	}
	if err := b.linear(ctx, app, &r); err != nil {
		return nil, err
	}
	if err := b.site.changeLeaf(); err != nil {
		return nil, err
	}
	r.leaf, err = timed("Tagline, one leaf module changed", func() error { _, err := b.build(ctx); return err })
	return &r, err
}

// build builds both targets of the last image and all it is built on.
func (b *bench) build(ctx context.Context) (*image.Image, error) {
	repo, err := tree.Open(b.site.dir)
	if err != nil {
		return nil, err
	}
	built, err := release.Builder{Client: b.Client, Mirrors: b.mirrors}.Image(ctx, repo, "HEAD", last)
	if err != nil {
		return nil, err
	}
	if _, err := built.Developer.Sync(ctx); err != nil {
		return nil, err
	}
	_, err = built.Runtime.Sync(ctx)
	return built, err
}

// check is what a person runs before tagging: every file, the build, the smoke test.
func (b *bench) check(ctx context.Context) error {
	if err := b.tagline(ctx, "check", "--in-tree"); err != nil {
		return err
	}
	return b.tagline(ctx, "check", "--in-tree", last+"/1.0.0")
}

func (b *bench) tagline(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, b.command, args...)
	cmd.Dir = b.site.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("tagline %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// timed runs work, prints how long it took, and returns that.
func timed(what string, work func() error) (time.Duration, error) {
	start := time.Now()
	err := work()
	took := time.Since(start)
	fmt.Fprintf(os.Stderr, "%-50s %8.1f s\n", what, took.Seconds())
	return took, err
}
