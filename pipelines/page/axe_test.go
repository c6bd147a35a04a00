package page

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The version of axe-core that looks at the page, and what npm says of its archive.
const (
	axePackage   = "axe-core@4.14.1"
	axeArchive   = "axe-core-4.14.1.tgz"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)

// axe returns the text of axe-core. Its archive stays in the user's cache folder,
// so that only the first run asks the network.
func axe(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	file := filepath.Join(cache, "tagline", axeArchive)
	archive, err := os.ReadFile(file)
	if err != nil || !isAxe(archive) {
		archive = fetchAxe(t)
		require.True(t, isAxe(archive), "%s is not what it was", axeArchive)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, archive, 0o644))
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		require.NoError(t, err, "looking for axe.min.js")
		if header.Name == "package/axe.min.js" {
			text, err := io.ReadAll(files)
			require.NoError(t, err)
			return string(text)
		}
	}
}

func isAxe(archive []byte) bool {
	sum := sha512.Sum512(archive)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeIntegrity
}

// fetchAxe gets the archive as npm does, with its settings.
func fetchAxe(t *testing.T) []byte {
	t.Helper()
	folder := t.TempDir()
	pack := exec.CommandContext(t.Context(), "npm", "pack", "--pack-destination", folder, axePackage)
	pack.Dir = folder
	said, err := pack.CombinedOutput()
	require.NoError(t, err, "npm pack %s: %s", axePackage, said)
	archive, err := os.ReadFile(filepath.Join(folder, axeArchive))
	require.NoError(t, err)
	return archive
}

// faults returns where the page that is open breaks a rule of WCAG 2.1, level A or AA.
func (b *tab) faults() (all []string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](axe(b.t)))
	var found struct {
		Passes     int
		Violations []struct {
			ID    string
			Nodes []struct{ HTML, FailureSummary string }
		}
	}
	text := see[string](b, `axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
		.then(r => JSON.stringify({passes: r.passes.length, violations: r.violations}))`)
	require.NoError(b.t, json.Unmarshal([]byte(text), &found))
	require.Greater(b.t, found.Passes, 10, "axe looked at little")
	for _, v := range found.Violations {
		for _, n := range v.Nodes {
			all = append(all, fmt.Sprintf("%s: %s: %s", v.ID, n.HTML, n.FailureSummary))
		}
	}
	return all
}

func TestBrowserIsAccessible(t *testing.T) {
	address, b := aShift(t), browse(t)
	for _, path := range []string{"/", "/?text=nothing-has-this", iocPath("site", "bl45p", troubled)} {
		for _, look := range []struct {
			scheme string
			width  int64
		}{{"light", 1400}, {"dark", 1400}, {"dark", 400}} {
			b.prefers(look.scheme)
			b.do(chromedp.EmulateViewport(look.width, 800))
			b.open(address + path)
			require.Empty(t, b.faults(), "%s, %s, %d wide", path, look.scheme, look.width)
		}
	}
}

// On a telephone nothing of the list is out of sight, and what was done to an IOC is read by
// words and not by letters.
func TestBrowserOnATelephone(t *testing.T) {
	address, b := aShift(t), browse(t)
	b.do(chromedp.EmulateViewport(390, 800))
	b.open(address)
	require.Empty(t, see[[]string](b, `[...document.querySelectorAll("#iocs caption, #iocs th, #iocs td, #iocs div")]
		.filter(e => e.getBoundingClientRect().right > innerWidth).map(e => e.textContent)`))
	require.Equal(t, "ended 4 times, last with exit status 139", see[string](
		b, rowOf("bl45p", troubled)+`.lastElementChild.innerText`,
	))
	b.open(address + iocPath("site", "bl45p", troubled))
	require.Equal(t, 390, see[int](b, `document.documentElement.scrollWidth`))
	require.Equal(t, 6, see[int](b, `document.querySelectorAll("thead th").length`))
	require.Empty(t, see[[]string](b, `[...document.querySelectorAll("thead th, #history td:nth-child(2)")]
		.filter(e => {
			const text = document.createRange();
			text.selectNodeContents(e);
			return text.getClientRects().length > 1;
		}).map(e => e.textContent)`))
}

// The table is one for a reader of the screen too, though it is laid out otherwise,
// and a state has words and a shape beside its colour.
func TestBrowserReadsATable(t *testing.T) {
	address, b := aShift(t), browse(t)
	b.open(address)
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	require.NoError(t, err)
	count, names := map[string]int{}, map[string]string{}
	for _, n := range tree.Nodes {
		if n.Role != nil && n.Name != nil {
			role := strings.Trim(string(n.Role.Value), `"`)
			count[role]++
			names[role+" "+strings.Trim(string(n.Name.Value), `" `)] = role
		}
	}
	for role, want := range map[string]int{
		"table": 1, "columnheader": 9, "rowheader": 5 + 10, "row": 1 + 5 + 5 + 10, "cell": 5 + 10*8, "search": 1,
	} {
		assert.Equal(t, want, count[role], role)
	}
	assert.Contains(t, names, "table IOC instances by beamline, the worst first unless sorted otherwise")
	assert.Contains(t, names, "rowheader "+troubled)
	assert.Contains(t, names, "cell not ready", "without its mark")
	assert.Contains(t, names, "textbox Generic IOC")
	require.Equal(t, []string{"✖ not ready", "▲ restarted", "✔ well", "◆ drifted", "■ stopped"}, see[[]string](
		b, `[...new Set([...document.querySelectorAll("td .state")].map(e => e.textContent))]`,
	))
	require.Equal(t, 1, see[int](b, `document.querySelectorAll("[aria-live], [role=status], [role=alert]").length`))
}
