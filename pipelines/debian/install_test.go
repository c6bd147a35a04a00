package debian

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apt is an apt-get and a dpkg-query that know no more than two files: what is there,
// and what an installation adds.
type apt struct{ bin, work string }

func newApt(t *testing.T, there, adds string) apt {
	t.Helper()
	a := apt{t.TempDir(), t.TempDir()}
	a.write(t, "there", there)
	a.write(t, "adds", adds)
	a.write(t, "dpkg-query", "#!/bin/sh\ncat "+a.bin+"/there\n")
	a.write(t, "apt-get", "#!/bin/sh\n[ \"$1\" = update ] && exit\necho \"$@\" >"+a.bin+"/asked\ncat "+a.bin+"/adds >>"+
		a.bin+"/there\n")
	return a
}

func (a apt) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(a.bin+"/"+name, []byte(text), 0o755))
}

// install runs the script with pins and packages, and returns what it prints.
func (a apt) install(pins string, packages ...string) (string, error) {
	script := strings.ReplaceAll(installScript, "/var/cache/apt", a.work)
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, packages...)...)
	cmd.Stdin = strings.NewReader(pins)
	cmd.Env = append(os.Environ(), "PATH="+a.bin+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// What is installed at another version than it was locked, and what comes along and
// was not locked at all, ends the build and is named. What was there before is not
// looked at.
func TestInstallRefusesWhatHasMoved(t *testing.T) {
	const pins = "gcc 4:14.2\nlibc6 2.41\nunused 1\n"
	a := newApt(t, "perl 5\n", "libc6 2.41\ngcc 4:14.2\n")
	out, err := a.install(pins, "gcc")
	require.NoError(t, err, out)
	asked, err := os.ReadFile(a.bin + "/asked")
	require.NoError(t, err)
	require.Contains(t, string(asked), "--allow-downgrades -o Dir::Etc::preferences="+a.work+"/preferences gcc\n")
	preferences, err := os.ReadFile(a.work + "/preferences")
	require.NoError(t, err)
	require.Contains(t, string(preferences), "Package: gcc\nPin: version 4:14.2\nPin-Priority: 1001\n\n")

	out, err = newApt(t, "perl 5\n", "libc6 2.41\ngcc 4:14.3\nnew 1\n").install(pins, "gcc")
	require.Error(t, err)
	require.Equal(
		t, []string{"gcc is 4:14.3 now and locked at 4:14.2", "new is 1 now and not locked"}, readMoved(out, pins),
	)
}

// An apt that fails ends the build, though nothing has moved.
func TestAnInstallationThatFailsIsNotTaken(t *testing.T) {
	a := newApt(t, "perl 5\n", "")
	a.write(t, "apt-get", "#!/bin/sh\n[ \"$1\" = update ] || { echo E: Unable to locate package gbd >&2; exit 100; }\n")
	out, err := a.install("", "gbd")
	require.Error(t, err)
	require.Equal(t, []string{"gbd"}, readMissing(out))
}

// An archive that does not answer is said to be silent. Debian's own apt-get takes that
// for a warning, after which every package is one that Debian does not have.
func TestASilentArchiveIsNoMissingPackage(t *testing.T) {
	apt, err := exec.LookPath("apt-get")
	if err != nil {
		t.Skip("no apt-get")
	}
	for name, script := range map[string]string{"install": installScript, "simulate": simulateScript} {
		a := newApt(t, "perl 5\n", "")
		a.write(t, "sources.list", "deb [trusted=yes] http://127.0.0.1:1/debian trixie main\n")
		for _, folder := range []string{"lists/partial", "cache/archives/partial"} {
			require.NoError(t, os.MkdirAll(a.work+"/"+folder, 0o755))
		}
		a.write(t, "apt.conf", strings.ReplaceAll(`Dir::State::lists "WORK/lists"; Dir::Cache "WORK/cache";
			Dir::Etc::sourcelist "`+a.bin+`/sources.list"; Dir::Etc::sourceparts "-"; Dir::State::status "/dev/null";
			Acquire::http::Proxy "DIRECT"; Acquire::Retries "0"; Debug::NoLocking "1"; APT::Sandbox::User "";`, "WORK", a.work))
		a.write(t, "apt-get", "#!/bin/sh\nAPT_CONFIG="+a.bin+"/apt.conf exec "+apt+" \"$@\"\n")
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(script, "/var/cache/apt", a.work), "sh", "gcc")
		cmd.Env = append(os.Environ(), "PATH="+a.bin+":"+os.Getenv("PATH"), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), "E: Failed to fetch http://127.0.0.1:1/debian", name)
		require.Empty(t, readMissing(string(out)), name)
	}
}
