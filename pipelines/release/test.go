package release

import (
	"context"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
)

// test starts and asks an image's IOC, and looks at what is in the image. below
// is what it is built on. The digest is the one that its runtime container was
// pulled by, if it was.
func (j *job) test(ctx context.Context, img *recipe.Image, built, below *image.Image, digest asset.Digest) ([]record.Test, error) {
	s, err := j.subject(img, built, digest)
	if err != nil {
		return nil, err
	}
	var tests [2]*record.Test
	var g errgroup.Group
	g.Go(func() (err error) { tests[0], err = j.smoke(ctx, img, s); return err })
	g.Go(func() (err error) { tests[1], err = j.contents(ctx, img, s, built, below); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return []record.Test{*tests[0], *tests[1]}, nil
}

// subject is an image's IOC as it is tested.
func (j *job) subject(img *recipe.Image, built *image.Image, digest asset.Digest) (smoke.Subject, error) {
	s := smoke.Subject{Name: img.Name, File: img.File, Digest: digest, Runtime: built.Runtime, Clients: built.Developer, User: "1000:1000"}
	if img.IOC == nil {
		return s, nil
	}
	s.Folder, s.Checks = path.Join(path.Dir(img.File), img.Smoke.Config), img.Smoke.Checks
	var err error
	s.Config, err = readFolder(j.files, s.Folder)
	return s, err
}

// smoke tests an image: its IOC, or that its clients start when it has none.
func (j *job) smoke(ctx context.Context, img *recipe.Image, s smoke.Subject) (*record.Test, error) {
	if img.IOC != nil {
		return smoke.Tester{Client: j.Client}.Run(ctx, s)
	}
	out, err := s.Runtime.WithExec([]string{"caget", "-V"}).Stdout(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting caget of %s: %w", img.Name, err)
	}
	return &record.Test{Name: record.SmokeTest, Of: img.Name, Digest: s.Digest, Passed: true, Evidence: []string{strings.TrimSpace(out)}}, nil
}

// contents checks that the runtime image has all that the IOC opens, and says
// whose the bytes of both targets are.
func (j *job) contents(ctx context.Context, img *recipe.Image, s smoke.Subject, built, below *image.Image) (*record.Test, error) {
	test := &record.Test{Name: record.ContentsTest, Of: img.Name, Digest: s.Digest, Passed: true}
	var err error
	if img.IOC != nil {
		if test, err = (smoke.Tester{Client: j.Client}).Complete(ctx, s); err != nil {
			return nil, err
		}
	}
	on := "parent " + string(img.Parent.Asset)
	if below == nil {
		below, on = image.Released(j.Client, built.Base, built.Base, built.Base), "parent "+img.Base
	}
	test.Sizes, err = image.Sizes(ctx, built, below, on)
	return test, err
}
