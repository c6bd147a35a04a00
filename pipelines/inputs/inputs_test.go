package inputs_test

import (
	"io/fs"
	"math"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/inputs"
)

func TestEachValueCounts(t *testing.T) {
	is := inputs.Of("a", map[string]int{"b": 1, "c": 2})
	_, err := asset.ParseDigest(string(is))
	require.NoError(t, err)
	require.Equal(t, is, inputs.Of("a", map[string]int{"c": 2, "b": 1}))
	require.NotEqual(t, is, inputs.Of("a", map[string]int{"b": 1, "c": 3}))
	require.NotEqual(t, inputs.Of("a", "b"), inputs.Of("ab"))
	require.NotEqual(t, inputs.Of("a", "b"), inputs.Of("b", "a"))
	require.Empty(t, inputs.Of(math.NaN()), "what can't be written is not known")
}

func TestFilesByName(t *testing.T) {
	files := inputs.Files(map[string][]byte{"a": []byte("x"), "b": []byte("x"), "c": nil})
	require.Len(t, files, 3)
	require.Equal(t, files["a"], files["b"])
	require.NotEqual(t, files["a"], files["c"])
}

// All files of a room count but its tests.
func TestRooms(t *testing.T) {
	room := func(name, text string) fs.FS {
		return fstest.MapFS{"boot.sh": {Data: []byte("exit 0\n")}, name: {Data: []byte(text)}}
	}
	alone := inputs.Rooms(room("boot.sh", "exit 0\n"))
	require.Equal(t, alone, inputs.Rooms(room("boot_test.go", "package smoke\n")))
	require.NotEqual(t, alone, inputs.Rooms(room("boot.sh", "exit 1\n")))
	require.NotEqual(t, alone, inputs.Rooms(room("judge.go", "package smoke\n")))
	require.NotEqual(t, alone, inputs.Rooms(room("boot.sh", "exit 0\n"), room("class.go", "package startup\n")))
}
