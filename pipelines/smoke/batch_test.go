package smoke

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// One container boots what has the same files and folders. Each IOC is in one batch.
func TestBatches(t *testing.T) {
	one, other := &dagger.Container{}, &dagger.Container{}
	plain, kept := Subject{Runtime: one}, Subject{Runtime: one, Autosave: true}
	again, another := Subject{Runtime: one, Restart: true}, Subject{Runtime: other}
	own := Subject{Runtime: one, Own: &dagger.Container{}}
	beside := Subject{Runtime: one, Beside: []Simulator{{}}}
	many := make([]Subject, 2*mostInBatch+1)
	for i := range many {
		many[i] = plain
	}
	for name, c := range map[string]struct {
		subjects []Subject
		want     [][]int
	}{
		"none":                      {nil, nil},
		"one image":                 {[]Subject{plain, plain}, [][]int{{0, 1}}},
		"an image of its own":       {[]Subject{plain, own, plain}, [][]int{{0, 1, 2}}},
		"two images":                {[]Subject{plain, another, plain, another}, [][]int{{0, 2}, {1, 3}}},
		"with and without autosave": {[]Subject{plain, kept, again}, [][]int{{0}, {1, 2}}},
		"simulators":                {[]Subject{plain, beside, beside, plain}, [][]int{{0, 3}, {1}, {2}}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, Batches(c.subjects)) })
	}
	var sizes []int
	for _, batch := range Batches(many) {
		sizes = append(sizes, len(batch))
	}
	require.Equal(t, []int{mostInBatch, mostInBatch, 1}, sizes)
}

func TestTheNamesOfABatch(t *testing.T) {
	require.Equal(t, "a", Named([]Subject{{Name: "a"}}))
	require.Equal(t, "a to c, 3 IOCs", Named([]Subject{{Name: "a"}, {Name: "b"}, {Name: "c"}}))
}

// What boots.sh unpacks is what each IOC has, whatever bytes it is.
func TestTheFilesOfABatch(t *testing.T) {
	binary := []byte{0xff, 0, '\n'}
	packed, err := archive([]Subject{
		{
			Name: "a", User: "1:2", Grace: 30, Checks: []recipe.Check{{PV: "A", Put: text("1")}}, Autosave: true,
			Env: map[string]string{"my.name": "a=b\nc"}, Config: map[string][]byte{"st.cmd": []byte("x"), "db/a.db": binary},
		},
		{Name: "b", User: "0:0", Own: &dagger.Container{}, Config: map[string][]byte{"st.cmd": []byte("x")}},
	})
	require.NoError(t, err)
	again, err := base64.StdEncoding.DecodeString(packed)
	require.NoError(t, err)
	files := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(again)); ; {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		files[header.Name] = string(content)
	}
	require.Equal(t, "x", files["a/config/st.cmd"])
	require.Equal(t, string(binary), files["a/config/db/a.db"])
	require.Equal(t, "check 0\npv A\nput 1\n", files["a/checks.1"])
	require.Empty(t, files["a/checks.2"], "what was put is not put again")
	require.Contains(t, files["a/environment"], "BOOTS=2\x00")
	require.Contains(t, files["a/environment"], "my.name=a=b\nc\x00")
	require.Contains(t, files["b/environment"], "RUN_AS=0:0\x00")
	require.Contains(t, files["b/environment"], "BOOTS=1\x00")
	require.NotContains(t, files, "b/config/st.cmd", "it is in the image")
}

// The environment of an IOC reaches it, also by names that no shell exports.
func TestTheEnvironmentOfABoot(t *testing.T) {
	dir := t.TempDir()
	script, file := filepath.Join(dir, "environment.pl"), filepath.Join(dir, "environment")
	require.NoError(t, os.WriteFile(script, []byte(environmentScript), 0o644))
	s := Subject{Name: "a", User: "1:2", Env: map[string]string{"my.name": "a=b\nc"}}
	require.NoError(t, os.WriteFile(file, s.files()["environment"], 0o644))
	run := func(words ...string) ([]byte, error) {
		return exec.Command("perl", append([]string{script, file}, words...)...).Output()
	}
	out, err := run("env", "-0")
	require.NoError(t, err)
	require.Contains(t, string(out), "\x00my.name=a=b\nc\x00")
	require.Contains(t, string(out), "IOC_NAME=a\x00")
	_, err = run("/nonexistent")
	require.Error(t, err)
}

func TestTheOutputOfABatch(t *testing.T) {
	printed := map[string]string{"a": "@log 1\nb c29tZQ==\n", "b": ""}
	out := ""
	for name, text := range printed {
		out += fmt.Sprintf("%s %s\n", name, base64.StdEncoding.EncodeToString([]byte(text)))
	}
	again, ran, err := readOutputs("@ran 1700000000\n" + out)
	require.NoError(t, err)
	require.Equal(t, printed, again)
	require.Equal(t, int64(1700000000), ran.Unix())
	_, _, err = readOutputs("@ran now\n")
	require.Error(t, err)
	_, _, err = readOutputs("a ?\n")
	require.ErrorContains(t, err, "reading what boots.sh printed of a")
}
