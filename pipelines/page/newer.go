package page

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

const (
	// releasedEvery is how often a registry is asked what was released for a beamline.
	releasedEvery  = time.Minute
	releasedWithin = 20 * time.Second
	// mostNewer is how many newer releases are named.
	mostNewer = 3
)

// releases are what was released for a beamline, as far as that is known.
type releases struct {
	versions []asset.Version // the newest first
	err      error
}

// ask asks again and again what was released.
func (s *scribe) ask(ctx context.Context) {
	if s.board.released == nil {
		return
	}
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, releasedWithin)
		versions, err := s.board.released(limited, s.n.Beamline)
		cancel()
		s.released.Store(&releases{versions, err})
		poke(s.dirty)
		wait(ctx, releasedEvery)
	}
}

// newer returns which releases come after a version, or why that is not known; empty where
// there are none, and where nothing runs.
func (k *releases) newer(version string) string {
	switch {
	case k == nil || version == "":
		return ""
	case k.err != nil:
		text, _, _ := strings.Cut(k.err.Error(), "\n")
		return "newer releases are not known: " + text
	}
	var names []string
	for _, v := range k.versions {
		if v.String() == version {
			break
		}
		names = append(names, v.String())
	}
	switch more := len(names) - mostNewer; {
	case len(names) == 0:
		return ""
	case more > 0:
		return fmt.Sprintf("newer: %s and %d more", strings.Join(names[:mostNewer], ", "), more)
	}
	return "newer: " + strings.Join(names, ", ")
}
