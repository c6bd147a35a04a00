package smoke

import (
	"embed"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

// own is the source of this room: what boots, asks and judges. ioc-run and ioc-ask
// are in the image that is tested.
//
//go:embed *.go *.sh *.pl
var own embed.FS

// tester is the digest of what tests: this room and the one that judges a start.
var tester = sync.OnceValue(func() asset.Digest { return inputs.Rooms(own, startup.Source) })

// Inputs returns the digest of all that the result of Run depends on: the subject,
// whose image is named by its digest, its config, and the tester. It is empty where
// that is not known: for an image that is in no registry, and beside simulators,
// whose files only the engine knows.
func (s Subject) Inputs() asset.Digest { return s.inputs(tester()) }

// inputs returns the digest of the subject under a tester. All fields count, also
// those that are added one day; what is left out here is what Digest and Config
// stand for.
func (s Subject) inputs(by asset.Digest) asset.Digest {
	if s.Digest == "" || len(s.Beside) > 0 {
		return ""
	}
	config := inputs.Files(s.Config)
	s.Runtime, s.Clients, s.Own, s.Config = nil, nil, nil, nil
	return inputs.Of(s, config, by)
}
