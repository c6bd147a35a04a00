package image

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadLdd(t *testing.T) {
	loaded, missing := readLdd(`/epics/epics-base/bin/linux-x86_64/caget:
	linux-vdso.so.1 (0x00007ffd)
	libca.so.4.14.4 => /epics/epics-base/lib/linux-x86_64/libca.so.4.14.4 (0x00007f1)
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2)
	libgone.so.1 => not found
	/lib64/ld-linux-x86-64.so.2 (0x00007f3)
/epics/ioc/bin/linux-x86_64/ioc:
	libca.so.4.14.4 => /epics/epics-base/bin/../lib/linux-x86_64/libca.so.4.14.4 (0x00007f1)
`)
	require.Equal(t, []string{
		"/epics/epics-base/lib/linux-x86_64/libca.so.4.14.4",
		"/lib/x86_64-linux-gnu/libc.so.6",
		"/lib64/ld-linux-x86-64.so.2",
	}, loaded)
	require.Equal(t, []string{"libgone.so.1"}, missing)
}

func TestMirrorsTakeTheLongestPrefix(t *testing.T) {
	m, err := ParseMirrors([]string{"https://github.com/=http://a/", "https://github.com/epics-base/=http://b/"})
	require.NoError(t, err)
	require.Equal(t, "http://b/epics-base", m.Of("https://github.com/epics-base/epics-base"))
	require.Equal(t, "http://a/epics-modules/asyn", m.Of("https://github.com/epics-modules/asyn"))
	require.Equal(t, "https://example.org/x", m.Of("https://example.org/x"))
	m["https://gitlab.example.org/"] = "http://c/"
	require.Equal(t, Mirrors{"https://gitlab.example.org/": "http://c/"}, m.sameHost("https://gitlab.example.org/x/y", "../z.git"))
	require.Len(t, m.sameHost("https://github.com/epics-modules/asyn"), 2, "a relative submodule may be of another owner")
	for _, bad := range []string{"https://github.com/", "https://github.com=http://a", "a/=b"} {
		_, err := ParseMirrors([]string{bad})
		require.Error(t, err, bad)
	}
}

func TestTellingPicksTheCompilersLines(t *testing.T) {
	out := "gcc -c a.c\na.c:3:5: error: unknown type name 'foo'\nmake[1]: *** [a.o] Error 1\nall done\n"
	require.Equal(t, []string{"a.c:3:5: error: unknown type name 'foo'"}, telling(out))
	require.Equal(t, []string{"make: *** [a.o] Error 1"}, telling("gcc -c a.c\nmake: *** [a.o] Error 1\n"))
	require.Equal(t, []string{"make: *** No rule to make target 'x.dbd', needed by 'ioc.dbd'.  Stop."}, telling("make: *** No rule to make target 'x.dbd', needed by 'ioc.dbd'.  Stop.\nmake: *** [src.install] Error 2\n"))
	require.Equal(t, []string{"one", "two"}, telling("one\ntwo\n"))
}
