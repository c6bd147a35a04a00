package sbom

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/record"
)

const status = `Package: libtirpc3t64
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: libtirpc (1.3.6)
Version: 1.3.6+ds-1
Conffiles:
 /etc/netconfig ca8db53e3af4d735335c2607d21c7195
Description: transport-independent RPC library
 This package contains it.
 .
 More of it.

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1.0

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.37-2+b5
`

func TestReadDpkg(t *testing.T) {
	want := []Package{{"libtirpc3t64", "1.3.6+ds-1", "amd64", "libtirpc"}, {"bash", "5.2.37-2+b5", "amd64", "bash"}}
	for _, end := range []string{"", "\n", "\n\n"} {
		list, err := ReadDpkg(strings.NewReader(status + end))
		require.NoError(t, err)
		require.Equal(t, want, list)
	}
	_, err := ReadDpkg(strings.NewReader("Package: x\nStatus: install ok installed\n\n"))
	require.ErrorContains(t, err, "paragraph 1")
	_, err = ReadDpkg(strings.NewReader("no field\n"))
	require.Error(t, err)
}

// A Debian machine has such a list itself.
func TestReadDpkgOfThisMachine(t *testing.T) {
	f, err := os.Open("/var/lib/dpkg/status")
	if err != nil {
		t.Skip("not a Debian machine")
	}
	defer f.Close()
	list, err := ReadDpkg(f)
	require.NoError(t, err)
	require.NotEmpty(t, list)
}

func image() Image {
	list, _ := ReadDpkg(strings.NewReader(status))
	return Image{
		Name: "ioc-motorsim-runtime", Version: "1.0.0", Digest: "sha256:" + strings.Repeat("ab", 32),
		Commit:  strings.Repeat("0a", 20),
		Created: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Tool: "1.0.0", Packages: list,
		Modules: []record.Source{
			{
				Module: "motor", URL: "https://github.com/epics-modules/motor", Ref: "R7-4",
				Commit: strings.Repeat("1b", 20), Licence: "EPICS",
			},
			{
				Module: "simstage", URL: "tree", Ref: "generic-iocs/ioc-simstage/simstage",
				Commit: strings.Repeat("2c", 20),
			},
			{
				Module: "asyn", URL: "https://github.com/epics-modules/asyn", Ref: "R4-45",
				Commit: strings.Repeat("3d", 20),
			},
		},
	}
}

func TestDocument(t *testing.T) {
	b, err := json.MarshalIndent(Document(image()), "", "  ")
	require.NoError(t, err)
	golden.Assert(t, string(b)+"\n", "motorsim.spdx.json")

	var read spdx.Document
	require.NoError(t, spdxjson.ReadInto(bytes.NewReader(b), &read))
	require.NoError(t, spdxlib.ValidateDocument(&read))
	require.Len(t, read.Packages, 6)
}

func TestOrderDoesNotChangeTheDocument(t *testing.T) {
	one, two := image(), image()
	two.Packages[0], two.Packages[1] = two.Packages[1], two.Packages[0]
	two.Modules = append(two.Modules[1:], two.Modules[0], two.Modules[1])
	require.Equal(t, Document(one), Document(two))
}

func FuzzReadDpkg(f *testing.F) {
	f.Add(status)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadDpkg(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range list {
			require.NotEmpty(t, p.Name)
			require.NotEmpty(t, p.Version)
		}
		_, err = json.Marshal(Document(Image{Packages: list}))
		require.NoError(t, err)
	})
}
