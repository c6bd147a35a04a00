package engine

import (
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"
)

func TestTellingPicksTheCompilersLines(t *testing.T) {
	out := "gcc -c a.c\na.c:3:5: error: unknown type name 'foo'\nmake[1]: *** [a.o] Error 1\nall done\n"
	require.Equal(t, []string{"a.c:3:5: error: unknown type name 'foo'"}, telling(out))
	require.Equal(t, []string{"make: *** [a.o] Error 1"}, telling("gcc -c a.c\nmake: *** [a.o] Error 1\n"))
	require.Equal(
		t, []string{"make: *** No rule to make target 'x.dbd', needed by 'ioc.dbd'.  Stop."},
		telling(
			"make: *** No rule to make target 'x.dbd', needed by 'ioc.dbd'.  Stop.\nmake: *** [src.install] Error 2\n",
		),
	)
	require.Equal(t, []string{"one", "two"}, telling("one\ntwo\n"))
}

func TestExplain(t *testing.T) {
	plain := errors.New("no engine")
	require.Equal(t, plain, Explain(plain))
	for _, test := range []struct {
		cmd  []string
		want string
	}{
		{[]string{"ldd", "/ioc"}, "ldd /ioc: exit status 2\n  a: not found"},
		{[]string{"sh", "-c", `exec make -j"$(nproc)"`}, "make: exit status 2\n  a: not found"},
		{Shell("set -e\necho", "gcc"), "sh -c … sh gcc: exit status 2\n  a: not found"},
	} {
		err := Explain(&dagger.ExecError{Cmd: test.cmd, ExitCode: 2, Stdout: "hello", Stderr: "a: not found"})
		require.EqualError(t, err, test.want)
		_, failed := Failed(err)
		require.True(t, failed, "that a command failed is still known")
	}
}

func TestAFixIsForACommandThatFailed(t *testing.T) {
	require.Equal(t, "mend it", Fix(fmt.Errorf("building: %w", &dagger.ExecError{ExitCode: 2}), "mend it"))
	require.Contains(t, Fix(errors.New("no engine"), "mend it"), "see that the engine runs")
}

// What a cache knows a folder by changes with its names, modes and contents,
// and with nothing else.
func TestFolderHash(t *testing.T) {
	tree := func() fstest.MapFS {
		return fstest.MapFS{
			"m/a.c": {Data: []byte("int a;"), Mode: 0o644}, "m/run": {Data: []byte("x"), Mode: 0o755}, "other": {},
		}
	}
	hash := func(fsys fstest.MapFS) string {
		sum, err := FolderHash(fsys, "m")
		require.NoError(t, err)
		require.Regexp(t, "^[0-9a-f]{40}$", sum)
		return sum
	}
	good := hash(tree())
	same := tree()
	same["other"].Data = []byte("changed")
	same["m/a.c"].Mode = 0o600
	require.Equal(t, good, hash(same))
	for name, change := range map[string]func(fstest.MapFS){
		"content": func(f fstest.MapFS) { f["m/a.c"].Data = []byte("int b;") },
		"mode":    func(f fstest.MapFS) { f["m/run"].Mode = 0o644 },
		"name":    func(f fstest.MapFS) { f["m/b.c"] = f["m/a.c"]; delete(f, "m/a.c") },
	} {
		other := tree()
		change(other)
		require.NotEqual(t, good, hash(other), name)
	}
	_, err := FolderHash(tree(), "gone")
	require.ErrorContains(t, err, "reading gone")
}
