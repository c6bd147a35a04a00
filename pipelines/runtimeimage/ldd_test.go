package runtimeimage

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

// A database whose name has .so in it is not asked what it loads.
func TestReadFiles(t *testing.T) {
	files, objects := readFiles("/m/db/b.source.db\n/m/lib/libm.so.1.2\n/m/db/a b.db\n/m/lib/libm.so\n/m/db/a b.db\n")
	require.Equal(t, []string{"/m/db/a b.db", "/m/db/b.source.db", "/m/lib/libm.so", "/m/lib/libm.so.1.2"}, files)
	require.Equal(t, []string{"/m/lib/libm.so", "/m/lib/libm.so.1.2"}, objects)
	files, objects = readFiles("")
	require.Empty(t, files)
	require.Empty(t, objects)
}
