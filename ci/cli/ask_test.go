package cli

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// atTerminal returns an app whose stdin is a terminal, into which keys were typed, and
// what it says on stderr.
func atTerminal(t *testing.T, keys string) (*app, *bytes.Buffer) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { person.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	stdin, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { stdin.Close() })
	_, err = person.WriteString(keys)
	require.NoError(t, err)
	var said bytes.Buffer
	a := &app{Streams: Streams{In: stdin, Err: &said}}
	a.progress = newProgress(&said)
	t.Cleanup(a.progress.close)
	return a, &said
}

// axis is the source of a module that leaves questions open.
var axis = fstest.MapFS{
	".gitmodules": {Data: []byte("[submodule \"v\"]\n\tpath = v\n\turl = ../v.git\n")},
}

// What the source of a module does not say is asked on a terminal. An answer stands in
// its file; Enter takes what is done without one, and leaves the question there.
func TestAModuleIsAskedAboutOnATerminal(t *testing.T) {
	a, said := atTerminal(t, "SLIDE\n\n\"MIT\"\n")
	given := newmodule.Given{Ask: a.moduleAsker(t.Context())}
	r, err := newmodule.Describe(axis, "https://git.example.org/axis.git", "R1-0", given, nil)
	require.NoError(t, err)
	text := r.Text("")
	assert.Contains(t, text, "\nmacro: SLIDE # said by who added it\n")
	assert.Contains(t, text, "\nlicence: MIT # said by who added it\n")
	assert.Contains(t, text, "\n# TODO submodules: which of v are wanted? Until then none of them is taken.\n")
	assert.NotContains(t, text, "# TODO macro")
	assert.Equal(t, "what do other modules call it in their configure/RELEASE? Until then AXIS is taken.\nmacro: "+
		"which of v are wanted? Until then none of them is taken.\nsubmodules: "+
		"no file of the source says it in words known here; which one is it, as an SPDX expression? "+
		"Until then it is left out.\nlicence: ", said.String())

	a, _ = atTerminal(t, "\n\x04") // Enter, and the end of the input
	given = newmodule.Given{Ask: a.moduleAsker(t.Context())}
	r, err = newmodule.Describe(fstest.MapFS{}, "https://git.example.org/axis.git", "R1-0", given, nil)
	require.NoError(t, err)
	assert.Equal(t, newmodule.Fact{Value: "AXIS", Why: "from the module's name"}, r.Macro)
	assert.Contains(t, r.Text(""), "\n# TODO licence: ")
}

// Elsewhere nobody is asked.
func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	stdin, typed, err := os.Pipe()
	require.NoError(t, err)
	defer stdin.Close()
	require.NoError(t, typed.Close())
	a := &app{Streams: Streams{In: stdin, Err: &bytes.Buffer{}}}
	assert.Nil(t, a.moduleAsker(t.Context()))
	b := &beginning{Repository: scaffold.Repository{}}
	err = a.askFor(t.Context(), b, []string{"registry", "from"})
	require.EqualError(t, err, "reading the command line: --registry is missing; "+
		"give the registry and path that will hold the releases: ghcr.io/some-org")
}

// A flag that a new repository can't do without is asked for; an empty answer is none.
func TestAFlagIsAskedForOnATerminal(t *testing.T) {
	a, said := atTerminal(t, " ghcr.io/some-org \n\n")
	b := &beginning{Repository: scaffold.Repository{}}
	err := a.askFor(t.Context(), b, []string{"registry", "from"})
	assert.Equal(t, "ghcr.io/some-org", b.Registry)
	require.ErrorContains(t, err, "--from is missing; give the released image that it is built on")
	assert.Contains(t, said.String(), "registry: released image that it is built on")
}
