package engine_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/fstest"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
)

// A folder reaches the engine file by file, in the order of paths and below no folder of
// the machine: the same content has the same cache keys everywhere.
func TestAFolderArrivesAsItIs(t *testing.T) {
	e := &enginetest.Engine{}
	dir, err := engine.Folder(e.Client(), fstest.MapFS{
		"m/z/run.sh": {Data: []byte("echo \"{(,)}\"\n"), Mode: 0o100}, // git knows executable or not
		"m/a.c":      {Data: []byte("int a;\n"), Mode: 0o600},
		"m/empty":    {Mode: 0o644},
		"mm/other":   {Data: []byte("x")},
	}, "m")
	require.NoError(t, err)
	_, err = dir.Digest(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{`directory.withNewFile(contents:"int a;\n", path:"a.c", permissions:420)` +
		`.withNewFile(contents:"", path:"empty", permissions:420)` +
		`.withNewFile(contents:"echo \"{(,)}\"\n", path:"z/run.sh", permissions:493).digest`}, e.Asked())

	_, err = engine.Folder(e.Client(), fstest.MapFS{}, "gone")
	require.EqualError(t, err, "reading gone: open gone: file does not exist")
}

// A query holds text alone, so other bytes are decoded in the engine: a database's Latin-1
// must not arrive as something else.
func TestBytesThatAreNoText(t *testing.T) {
	e := &enginetest.Engine{}
	latin1 := []byte("field(EGU, \"\xb0C\")\n")
	_, err := engine.Files(e.Client(), map[string][]byte{"b.db": latin1, "a.db": []byte("°C")}).Digest(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{`directory.withNewFile(contents:"°C", path:"a.db", permissions:420)` +
		`.withFile(path:"b.db", permissions:420, source:‹container.from(address:"` + engine.Tools + `")` +
		`.withNewFile(contents:"` + base64.StdEncoding.EncodeToString(latin1) + `", path:"/in")` +
		`.withExec(args:["base64","-d","/in"], redirectStdout:"/out").file(path:"/out")›).digest`}, e.Asked())
}

// The engine signs in at the registry's host, whatever the path, with a secret.
func TestTheLoginIsOfTheHost(t *testing.T) {
	var asked []string
	e := &enginetest.Engine{Answer: func(question string) (any, error) {
		asked = append(asked, question)
		return nil, nil
	}}
	require.NoError(t, engine.LogIn(t.Context(), e.Client(), "registry.example.org:5000/site/a", "ada", "s3cret"))
	require.Equal(t, `container.withRegistryAuth(address:"registry.example.org:5000", `+
		`secret:‹setSecret(name:"registry-password", plaintext:"s3cret")›, username:"ada").id`, asked[len(asked)-1])

	refused := &enginetest.Engine{Answer: func(string) (any, error) { return nil, errors.New("no session") }}
	err := engine.LogIn(t.Context(), refused.Client(), "registry.example.org/site", "ada", "s3cret")
	require.EqualError(t, err, "giving the engine the login for registry.example.org: no session")
}

var exported = regexp.MustCompile(`export\(path:"([^"]+)"\)$`)

// exporting is an engine that writes a folder to where it is asked to.
func exporting(t *testing.T, write func(folder string)) (e *enginetest.Engine, folder *string) {
	folder = new(string)
	return &enginetest.Engine{Answer: func(question string) (any, error) {
		m := exported.FindStringSubmatch(question)
		require.NotNil(t, m, question)
		*folder = m[1]
		require.NoError(t, os.MkdirAll(m[1], 0o755))
		write(m[1])
		return m[1], nil
	}}, folder
}

// What comes out of the engine is seen while it is read, without what it links to, and is
// gone afterwards, also where reading fails.
func TestAFolderThatComesOut(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("x"), 0o644))
	e, folder := exporting(t, func(folder string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "st.cmd"), []byte("iocInit\n"), 0o644))
		require.NoError(t, os.Symlink("st.cmd", filepath.Join(folder, "inside")))
		require.NoError(t, os.Symlink(secret, filepath.Join(folder, "outside")))
	})
	broken := errors.New("no config folder")
	err := engine.Export(t.Context(), e.Client().Directory(), "config", func(files fs.FS) error {
		for _, file := range []string{"config/st.cmd", "config/inside"} {
			text, err := fs.ReadFile(files, file)
			require.NoError(t, err)
			require.Equal(t, "iocInit\n", string(text))
		}
		_, err := fs.ReadFile(files, "config/outside")
		require.ErrorContains(t, err, "escapes")
		return broken
	})
	require.Equal(t, broken, err)
	require.NoDirExists(t, filepath.Dir(*folder))
}

// A folder that can't be made is the fault of the command that makes it.
func TestAFolderThatDoesNotComeOut(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	e := &enginetest.Engine{Answer: func(string) (any, error) {
		return nil, &dagger.ExecError{Cmd: []string{"sh", "make.sh"}, ExitCode: 3, Stderr: "make.sh: not found"}
	}}
	err := engine.Export(t.Context(), e.Client().Directory(), "config", func(fs.FS) error {
		t.Error("nothing is read")
		return nil
	})
	require.EqualError(t, err, "sh make.sh: exit status 3\n  make.sh: not found")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.Empty(t, left)
}
