package release

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// test starts and asks the image's IOC, and looks at what is in the image.
func (i *imageJob) test(ctx context.Context) error {
	s, err := i.subject()
	if err != nil {
		return err
	}
	i.rec.Checks = make([]record.Test, len(i.tests))
	return step.EachIndex(ctx, len(i.tests), len(i.tests), func(ctx context.Context, n int) error {
		test, err := i.tests[n](ctx, s)
		if err == nil {
			i.rec.Checks[n] = *test
		}
		return err
	})
}

// subject is the image's IOC as it is tested.
func (i *imageJob) subject() (smoke.Subject, error) {
	s := smoke.Subject{
		Name: string(i.img.Name), File: i.img.File, Digest: i.rec.Image(asset.Runtime).Digest,
		Runtime: i.image.Runtime, Clients: i.image.Developer,
		Grace: beamline.Values{}.Grace(), User: beamline.Values{}.User(),
	}
	if i.img.IOC == nil {
		return s, nil
	}
	s.Folder, s.Checks = path.Join(path.Dir(i.img.File), i.img.Smoke.Config), i.img.Smoke.Checks
	s.Restart = i.img.Smoke.Restart
	for _, one := range i.img.Smoke.Beside {
		simulator, err := i.simulator(one)
		if err != nil {
			return s, err
		}
		s.Beside = append(s.Beside, simulator)
	}
	var err error
	s.Config, err = startup.Config(i.files, s.Folder)
	return s, err
}

// simulator returns a recipe's simulator with its files in the engine.
func (i *imageJob) simulator(one recipe.Simulator) (smoke.Simulator, error) {
	if one.Image != "" {
		root := i.Client.Container().From(one.Image).Rootfs()
		return smoke.Simulator{Image: true, Command: one.Command, Root: root}, nil
	}
	folder, err := engine.Folder(i.Client, i.files, one.Folder)
	return smoke.Simulator{Command: one.Command, Root: folder}, err
}

// tester returns what boots IOCs. What is released is booted; a check takes the engine's
// word for what it has booted before.
func (j *job) tester() smoke.Tester { return smoke.Tester{Client: j.Client, Known: j.checks && !j.All} }

// smoke tests an image: its IOC, or that its clients start when it has none.
func (i *imageJob) smoke(ctx context.Context, s smoke.Subject) (*record.Test, error) {
	if i.img.IOC != nil {
		return i.tester().Run(ctx, s)
	}
	out, err := s.Runtime.WithExec([]string{"caget", "-V"}).Stdout(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting caget of %s: %w", i.img.Name, err)
	}
	return &record.Test{
		Name: record.SmokeTest, Of: string(i.img.Name), Digest: s.Digest, Passed: true,
		Evidence: []string{strings.TrimSpace(out)},
	}, nil
}

// contents checks that the runtime image has all that the IOC opens, and says
// whose the bytes of both targets are.
func (i *imageJob) contents(ctx context.Context, s smoke.Subject) (*record.Test, error) {
	test := &record.Test{Name: record.ContentsTest, Of: string(i.img.Name), Digest: s.Digest, Passed: true}
	var err error
	if i.img.IOC != nil {
		if test, err = i.tester().Complete(ctx, s); err != nil {
			return nil, err
		}
	}
	below, owner := i.parent, "parent "+string(i.img.Parent.Asset)
	if below == nil {
		base := i.image.Base
		below, owner = image.Released(i.Client, base, base, base), "parent "+i.img.Base
	}
	test.Sizes, err = image.Sizes(ctx, i.image, below, owner)
	return test, err
}
