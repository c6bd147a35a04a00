package e2e

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/ci/tutorialtest"
)

// tutorials are pages of docs/tutorials in the order in which a person reads them: the
// later ones go on with what the first one made.
var tutorials = []string{"first-ioc.md", "beamline.md", "module.md", "from-epics-containers.md", "production.md"}

// TestTutorials types every command of the tutorials' console blocks, as they stand
// there, in a home that is empty, and compares what they print. An ellipsis stands for
// any text; alone in a line, for any lines. Blocks that a person does by hand, as at a
// terminal, say so in their info string, and so do those of production.md that need a
// server: onServers types them.
func TestTutorials(t *testing.T) {
	home := t.TempDir()
	bin := t.TempDir()
	require.NoError(t, os.Symlink(tagline, filepath.Join(bin, "tagline")))
	dir, err := state.FromEnvironment(os.Getenv)
	require.NoError(t, err)
	environ := []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "TAGLINE_STATE=" + string(dir),
		// A registry of this run's own, as its releases would be another run's.
		"USER=" + strings.ToLower(rand.Text()),
		mirrors(t), // which has the module that nobody described
	}
	for _, page := range tutorials {
		if !t.Run(page, func(t *testing.T) { follow(t, page, home, environ) }) {
			return
		}
	}
	onServers(t, home, environ)
}

// promoted is the namespace that a command takes a beamline to.
var promoted = regexp.MustCompile(`(?m)^tagline promote (\S+)`)

// follow types the commands of a page.
func follow(t *testing.T, page, home string, environ []string) {
	steps := tutorialtest.Commands(t, filepath.Join(root, "docs/tutorials", page), "console")
	for _, s := range steps {
		for _, m := range promoted.FindAllStringSubmatch(s.Command, -1) {
			t.Cleanup(func() { _ = removed(t, m[1]) }) // it may not have come that far, or be gone already
		}
	}
	tutorialtest.Follow(t, page, steps, home, environ)
}
