package debian

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

func TestMissingPackages(t *testing.T) {
	require.Equal(t, []string{"gbd", "libtrpc-dev"}, readMissing("Reading package lists...\n"+
		"E: Unable to locate package gbd\nE: Package 'libtrpc-dev' has no installation candidate\n"))
	require.Empty(t, readMissing("E: Failed to fetch http://deb.debian.org/debian"))
	require.EqualError(t, &MissingError{[]string{"a", "b"}}, "Debian has no package a, b")
}

func TestPinsAreSortedAndTheLastLockWins(t *testing.T) {
	pins := pinLines(map[string]string{"gcc": "1", "awk": "2"}, nil, map[string]string{"gcc": "3"})
	require.Equal(t, "awk 2\ngcc 3\n", pins)
	require.Equal(t, map[string]string{"awk": "2", "gcc": "3"}, readVersions(pins))
}

// dpkg says more of a path than one owner: a package of each architecture, and who has
// diverted the path from whom.
func TestOwnersAreTheNamesOfPackages(t *testing.T) {
	require.Equal(t, []string{"libc6", "libgcc-s1", "libssl3t64", "libz-ng"}, readOwners(
		"libz-ng, libssl3t64:amd64: /usr/lib/a\nlibgcc-s1:amd64, libgcc-s1:i386: /usr/lib/b\n"+
			"diversion by nvidia from: /usr/lib/c\ndiversion by nvidia to: /usr/lib/c.diverted\n"+
			"local diversion from: /usr/lib/c\nlibc6:amd64: /usr/lib/c\n",
	))
	require.Empty(t, readOwners(""))
}

func TestInstallFaults(t *testing.T) {
	img := &recipe.Image{Name: "a", File: "generic-iocs/a/image.yaml"}
	failed := &dagger.ExecError{
		Cmd: []string{"sh", "-c", "x\ny"}, ExitCode: 1, Stdout: "MOVED gcc 14.3\nMOVED awk 2\nMOVED\n",
	}
	err := installFault(img, "gcc 14.2\n", failed)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.EqualError(t, err, "generic-iocs/a/image.lock.yaml: "+
		"installing Debian packages for a: the archive has moved: "+
		"gcc is 14.3 now and locked at 14.2; awk is 2 now and not locked; run: tagline lock a")
	err = installFault(img, "", errors.New("no engine"))
	require.Equal(t, diag.Broken, diag.KindOf(err))
	require.EqualError(t, err, "generic-iocs/a/image.yaml: installing Debian packages for a: no engine; "+
		"see that the engine runs and has space left on its disk, then run it again")
	refused := &dagger.ExecError{Cmd: []string{"sh", "-c", "x\ny"}, ExitCode: 100, Stderr: "E: Failed to fetch it"}
	require.EqualError(t, installFault(img, "", refused), "generic-iocs/a/image.yaml: "+
		"installing Debian packages for a: sh -c …: exit status 100; "+
		"see that the engine reaches Debian's archive, then run it again\n  E: Failed to fetch it")
}

// TestSimulateReadsApt runs the script with an apt that answers as Debian's does.
func TestSimulateReadsApt(t *testing.T) {
	bin := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(bin+"/"+name, []byte("#!/bin/sh\n"+text), 0o755))
	}
	write("apt-get", `[ "$1" = update ] || cat <<'END'
Inst libtirpc-common (1.3.6+ds-1 Debian:13.0/stable [all])
Inst gcc [4:14.1] (4:14.2.0-1 Debian:13.0/stable [amd64]) []
Inst libc6:i386 (2.41-12 Debian:13.0/stable [i386])
Conf gcc (4:14.2.0-1 Debian:13.0/stable [amd64])
END
`)
	write("dpkg-query", `[ "$4" = perl ] && echo installed perl 5.40.1-6`)
	script := strings.ReplaceAll(simulateScript, "/var/cache/apt", bin)
	cmd := exec.Command("sh", "-c", script, "sh", "gcc", "perl")
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"libtirpc-common": "1.3.6+ds-1", "gcc": "4:14.2.0-1", "libc6": "2.41-12", "perl": "5.40.1-6",
	}, readVersions(string(out)))
}
