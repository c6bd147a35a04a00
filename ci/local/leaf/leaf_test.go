package leaf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALeafIsBuiltAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	m := Module{Name: "x", Programs: map[string]string{"x": "."}}
	key := func() string {
		k, err := m.key(t.Context(), dir)
		require.NoError(t, err)
		return k
	}
	write("main.go", "package main")
	first := key()
	assert.Equal(t, first, key())
	write("main_test.go", "package main")
	assert.Equal(t, first, key(), "tests change nothing")
	write("main.go", "package main // changed")
	second := key()
	assert.NotEqual(t, first, second)
	m.LDFlags = "-X a.b=c"
	assert.NotEqual(t, second, key())
}

func TestTheSourceIsFoundFromBelow(t *testing.T) {
	root, err := repositoryRoot()
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(root, "ci", "local", "daggerd", "go.mod"))
	t.Chdir(t.TempDir())
	_, err = repositoryRoot()
	assert.ErrorContains(t, err, "run `tagline up` in a checkout")
}
