package image

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/record"
)

//go:embed sizes.sh
var sizesScript string

// Sizes returns how many bytes each owner has in the layers of an image, by
// target: what it is built on, named on, as a whole, then every Debian package,
// support module and the IOC, the largest first. An owner that has files below
// already counts with what was added.
func Sizes(ctx context.Context, img, below *Image, base string) ([]record.Size, error) {
	targets := []asset.Target{asset.Developer, asset.Runtime}
	var have, had [2]map[string]int64
	var g errgroup.Group
	for i, target := range targets {
		g.Go(func() (err error) { have[i], err = owners(ctx, img.Target(target)); return err })
		g.Go(func() (err error) { had[i], err = owners(ctx, below.Target(target)); return err })
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("reading the sizes of an image: %w", err)
	}
	var all []record.Size
	for i, target := range targets {
		all = append(all, sizes(target, base, have[i], had[i])...)
	}
	return all, nil
}

// sizes compares what the owners have in a target with what they had below.
func sizes(target asset.Target, base string, have, had map[string]int64) []record.Size {
	whole := record.Size{Target: target, Owner: base}
	var added []record.Size
	for _, bytes := range had {
		whole.Bytes += bytes
	}
	for owner, bytes := range have {
		if more := bytes - had[owner]; more > 0 {
			added = append(added, record.Size{Target: target, Owner: owner, Bytes: more})
		}
	}
	slices.SortFunc(added, func(a, b record.Size) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Owner, b.Owner))
	})
	return append([]record.Size{whole}, added...)
}

// owners returns the bytes of each owner in a container.
func owners(ctx context.Context, c *dagger.Container) (map[string]int64, error) {
	out, err := c.WithUser("root").WithExec([]string{"sh", "-c", sizesScript}).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	return readOwners(out), nil
}

// readOwners reads "bytes owner" lines.
func readOwners(out string) map[string]int64 {
	all := map[string]int64{}
	for line := range strings.Lines(out) {
		bytes, owner, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(bytes, 10, 64)
		if err == nil {
			all[owner] = n
		}
	}
	return all
}
