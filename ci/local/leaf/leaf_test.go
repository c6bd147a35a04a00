package leaf

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// hello is a module without dependencies, and of two folders.
const hello = `
-- go.mod --
module example.org/hello

go 1.26
-- cmd/hello/main.go --
package main

import "example.org/hello/words"

var last = "?"

func main() { print(words.Hello + last) }
-- words/words.go --
package words

const Hello = "hello"
`

func helloModule() Module {
	return Module{Name: "hello", Sources: hello, LDFlags: "-X main.last=!",
		Programs: map[string]string{"a": "./cmd/hello", "b": "./cmd/hello"}}
}

func TestProgramsAreBuiltFromWhatIsCarried(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	s := state.Dir(t.TempDir())
	t.Chdir(t.TempDir()) // nowhere near a checkout
	var lines []string
	ctx := step.WithSink(t.Context(), func(e step.Event) { lines = append(lines, e.Name+": "+e.Line) })
	bin, err := Build(ctx, s, helloModule())
	require.NoError(t, err)
	for _, program := range []string{"a", "b"} {
		out, err := exec.Command(filepath.Join(bin, program)).CombinedOutput()
		require.NoError(t, err)
		assert.Equal(t, "hello!", string(out))
	}
	again, err := Build(ctx, s, helloModule())
	require.NoError(t, err)
	assert.Equal(t, bin, again)
	assert.Equal(t, []string{"hello: building from source; this takes minutes the first time"}, lines)

	changed := helloModule()
	changed.LDFlags = "-X main.last=!!"
	other, err := Build(ctx, s, changed)
	require.NoError(t, err)
	assert.NotEqual(t, bin, other)
	assert.NoDirExists(t, bin, "an old build takes room")
	left, err := filepath.Glob(s.Path("tmp", "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestABuildThatFailsLeavesNoPrograms(t *testing.T) {
	s := state.Dir(t.TempDir())
	m := helloModule()
	m.Programs = map[string]string{"a": "./cmd/goodbye"}
	_, err := Build(t.Context(), s, m)
	assert.ErrorContains(t, err, "building ./cmd/goodbye: exit status 1\n")
	assert.ErrorContains(t, err, "directory not found")
	left, err := filepath.Glob(s.Path("*", "hello*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWithoutGoItIsSaidWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Build(t.Context(), state.Dir(t.TempDir()), helloModule())
	assert.ErrorContains(t, err, "looking for Go")
	assert.ErrorContains(t, err, "install Go")
}

func TestEachInputChangesTheKey(t *testing.T) {
	key := func(goVersion string, change func(*Module)) string {
		m := helloModule()
		change(&m)
		return m.key([]byte(goVersion))
	}
	same := func(*Module) {}
	base := key("go1.26.8", same)
	assert.Equal(t, base, key("go1.26.8", same))
	for what, other := range map[string]string{
		"Go":       key("go1.26.9", same),
		"flags":    key("go1.26.8", func(m *Module) { m.LDFlags = "" }),
		"programs": key("go1.26.8", func(m *Module) { m.Programs = map[string]string{"a": "./cmd/hello"} }),
		"a source": key("go1.26.8", func(m *Module) { m.Sources += "// more\n" }),
		"a name": key("go1.26.8", func(m *Module) {
			m.Sources = strings.Replace(m.Sources, "words.go", "word.go", 1)
		}),
	} {
		assert.NotEqual(t, base, other, what)
	}
	assert.Equal(
		t, base, key("go1.26.8", func(m *Module) { m.Sources = "A comment.\n" + m.Sources }), "it is no source",
	)
}
