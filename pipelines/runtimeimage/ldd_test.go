package runtimeimage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// Each file is named once, with its blanks, and ldd is asked of the binaries and of shared
// objects, not of a database whose name has .so in it. A folder that is not there has none.
func TestFilesAndWhatTheyLoad(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	for _, name := range []string{"db/b.source.db", "db/a b.db", "lib/libm.so.1.2", "lib/lib m.so"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), nil, 0o644))
	}
	require.NoError(t, os.WriteFile(bin+"/ldd", []byte("#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n"), 0o755))
	list := func(args ...string) string {
		cmd := exec.Command("sh", append([]string{"-c", filesScript, "sh"}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return strings.ReplaceAll(string(out), root, "")
	}
	require.Equal(t, "/db/a b.db\n/db/b.source.db\n/lib/lib m.so\n/lib/libm.so.1.2\n\n"+
		"</bin/caget>\n</bin/an ioc>\n</lib/lib m.so>\n</lib/libm.so.1.2>\n",
		list("2", "/bin/caget", "/bin/an ioc", root+"/db/b.source.db", root+"/db", root+"/none", root+"/lib"))
	require.Equal(t, "\n\n</bin/caget>\n", list("1", "/bin/caget"), "an image without an IOC")
}
