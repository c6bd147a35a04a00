package smoke

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sh runs a script of this room, with programs of bin before the others.
func sh(t *testing.T, bin, script string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The files that an image lacks are named, whatever characters they have; a link
// that leads nowhere is one that is lacking.
func TestWhatIsAbsentIsNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/here", nil, 0o644))
	require.NoError(t, os.Symlink("nowhere", dir+"/link"))
	out, err := sh(t, dir, absentScript, dir+"/here", dir+"/a b", dir+"/link", dir)
	require.NoError(t, err, out)
	require.Equal(t, dir+"/a b\n"+dir+"/link\n", out)
}

// dpkg knows a file by one of two paths, and fails for the other.
func TestTheOwnerOfAFile(t *testing.T) {
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(bin+"/dpkg-query", []byte("#!/bin/sh\n"+
		`[ "$*" = "--search /lib/libz.so /usr/lib/libz.so" ] || exit 1`+"\n"+
		"echo diversion by libc6 from: /usr/lib/libz.so\necho diversion by libc6 to: /usr/lib/libz.so.libc6\n"+
		"echo local diversion from: /usr/lib/libz.so\necho zlib1g:amd64, zlib1g:i386: /usr/lib/libz.so\n"+
		"echo no path found matching pattern /lib/libz.so >&2\nexit 1\n"), 0o755))
	out, err := sh(t, bin, ownerScript, "/lib/libz.so")
	require.NoError(t, err)
	require.Equal(t, "zlib1g\n", out)
	out, err = sh(t, bin, ownerScript, "/opt/mine")
	require.NoError(t, err)
	require.Empty(t, out, "a file of no package is none's")
}

// What an IOC opened is printed; a boot that left no trace says why instead, and one
// that failed fails.
func TestTheTraceOfABoot(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(dir+"/trace", 0o755))
	boot := func(text string) string {
		require.NoError(t, os.WriteFile(dir+"/boots.sh", []byte("#!/bin/sh\n"+text), 0o755))
		return strings.NewReplacer("/smoke/", dir+"/", "/tmp/", dir+"/").Replace(traceScript)
	}
	out, err := sh(t, dir, boot("echo booted; echo \"$@\" >"+dir+"/trace/opened\n"), "ioc-run", "st.cmd")
	require.NoError(t, err, out)
	require.Equal(t, "ioc-run st.cmd\n", out)
	require.NoError(t, os.WriteFile(dir+"/trace/opened", nil, 0o644))
	require.NoError(t, os.Mkdir(dir+"/out", 0o755))
	out, err = sh(t, dir, boot("echo ptrace is not permitted >"+dir+"/out/ioc-x\n"))
	require.NoError(t, err, out)
	require.Equal(t, "ptrace is not permitted\n", out)
	_, err = sh(t, dir, boot("exit 1\n"))
	require.Error(t, err)
}

// A file of a support module or of the IOC is named with where to mend it, without
// asking Debian.
func TestAMissingFileIsNamedWithItsOwner(t *testing.T) {
	s := Subject{Name: "ioc-x", File: "generic-iocs/ioc-x/image.yaml"}
	for file, want := range map[string]string{
		"/epics/support/table/data/t.txt": "generic-iocs/support/table.yaml: ioc-x opens /epics/support/table/data/t.txt " +
			"of the support module table, which is not in the runtime image; add data/t.txt to files",
		"/epics/ioc/data/x": "generic-iocs/ioc-x/image.yaml: ioc-x opens /epics/ioc/data/x, " +
			"which is not in the runtime image; it is of ioc",
	} {
		fault, err := s.missing(t.Context(), file)
		require.NoError(t, err)
		require.Equal(t, want, fault)
	}
	require.Equal(t, []string{"/epics/ioc/ioc"}, program([]string{"/epics/ioc-run/ioc-run", "/epics/ioc/ioc"}))
}
