package ci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInstall runs install.sh as the action does. curl takes the files of a release
// from a folder, and cosign believes what has a signature of the right workflow: both
// are stand-ins, as the test reaches neither GitHub nor Sigstore.
func TestInstall(t *testing.T) {
	const identity = "https://github.com/tagline-ci/tagline/.github/workflows/tagline.yml@refs/tags/"
	archive := "tagline_1.2.3_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	program := []byte("#!/bin/sh\necho v1.2.3\n")
	good := archiveOf(t, program)
	mine := archiveOf(t, []byte("#!/bin/sh\necho mine\n"))
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(good), archive)
	older, theirs := strings.ReplaceAll(sums, "1.2.3", "1.2.2"), strings.ReplaceAll(identity, "tagline-ci", "x")
	for name, c := range map[string]struct {
		archive        []byte
		sums, identity string
		says           string // empty where it is installed
	}{
		"a release":                        {good, sums, identity + "v1.2.3", ""},
		"an altered archive":               {mine, sums, identity + "v1.2.3", "FAILED"},
		"no checksum of it":                {good, older, identity + "v1.2.3", "do not name"},
		"another's signature":              {good, sums, theirs + "v1.2.3", "not the identity"},
		"the signature of another version": {good, sums, identity + "v1.2.2", "not the identity"},
	} {
		t.Run(name, func(t *testing.T) {
			tools, release, folder := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "bin")
			write := func(dir, name, text string) {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
			}
			write(release, archive, string(c.archive))
			write(release, "checksums.txt", c.sums)
			write(release, "checksums.txt.sigstore.json", c.identity)
			write(tools, "curl", `#!/bin/sh
for last; do :; done
case $last in https://github.com/tagline-ci/tagline/releases/download/v1.2.3/*) ;; *) exit 22 ;; esac
cp "`+release+`/${last##*/}" .
`)
			write(tools, "cosign", `#!/bin/sh
for last; do :; done
test "$last" = "$(cat checksums.txt.sigstore.json)" || { echo "not the identity $last" >&2; exit 1; }
`)
			cmd := exec.Command("sh", "../.github/actions/tagline/install.sh", "v1.2.3", folder)
			cmd.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if c.says != "" {
				require.Error(t, err)
				require.Contains(t, string(out), c.says)
				require.NoFileExists(t, filepath.Join(folder, "tagline"))
				return
			}
			require.NoError(t, err, "%s", out)
			said, err := exec.Command(filepath.Join(folder, "tagline")).Output()
			require.NoError(t, err)
			require.Equal(t, "v1.2.3\n", string(said))
		})
	}
}

// archiveOf returns the archive of a release with this program.
func archiveOf(t *testing.T, program []byte) []byte {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: "tagline", Mode: 0o755, Size: int64(len(program))}))
	_, err := files.Write(program)
	require.NoError(t, err)
	require.NoError(t, files.Close())
	require.NoError(t, zipped.Close())
	return archive.Bytes()
}
