package engine

import (
	"errors"
	"fmt"
	"strings"
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
	require.Equal(t, []string{"one", "two"}, telling("one\ntwo"))
}

// At most twelve lines are shown: the first of those that say something, each once, or else
// the last of all, which are nearest to the end.
func TestTellingIsShort(t *testing.T) {
	var many, quiet []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("  a.c:%d: error: x", i), "compiling", "Fatal: the disk is full")
		quiet = append(quiet, fmt.Sprint("line ", i))
	}
	got := telling(strings.Join(many, "\n"))
	require.Len(t, got, 12)
	require.Equal(t, []string{"a.c:0: error: x", "Fatal: the disk is full", "a.c:1: error: x"}, got[:3])
	require.Equal(t, "a.c:10: error: x", got[11])
	require.Equal(t, quiet[8:], telling(strings.Join(quiet, "\n")))
	for _, says := range []string{
		"ld: undefined reference to `x'", "x.h: No such file or directory", "E: Unable to locate package libx-dev",
		"fatal: could not read Username", "/usr/bin/ld: cannot find -lasyn", "sh: 1: foo: not found",
		"can't find module", "No rule to make target",
	} {
		require.Equal(t, []string{says}, telling("begin\n"+says+"\nend"))
	}
	require.Len(t, telling("terrors\nfatality"), 2, "parts of words say nothing")
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
		{[]string{"sh"}, "sh: exit status 2\n  a: not found"},
		{[]string{"sh", "-c"}, "sh -c: exit status 2\n  a: not found"},
		{[]string{"perl", "-c", "exec make x"}, "perl -c exec make x: exit status 2\n  a: not found"},
		{[]string{"sh", "-x", "exec make x"}, "sh -x exec make x: exit status 2\n  a: not found"},
		{[]string{"sh", "-c", "cat .gitmodules"}, "sh -c cat .gitmodules: exit status 2\n  a: not found"},
	} {
		err := Explain(&dagger.ExecError{Cmd: test.cmd, ExitCode: 2, Stdout: "hello", Stderr: "a: not found"})
		require.EqualError(t, err, test.want)
		_, failed := Failed(err)
		require.True(t, failed, "that a command failed is still known")
	}
}

func TestExplainWhatPrintedNothing(t *testing.T) {
	for _, out := range []string{"", " \n\n"} {
		err := Explain(fmt.Errorf("building: %w", &dagger.ExecError{Cmd: []string{"false"}, ExitCode: 1, Stderr: out}))
		require.EqualError(t, err, "false: exit status 1, and it printed nothing")
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
