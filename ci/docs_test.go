package ci_test

import (
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/settings"
)

var update = flag.Bool("update", false, "write anew what is made from something else: schemas, archives")

// published are the JSON schemas of all files that people edit, by name.
func published() map[string][]byte {
	all := maps.Clone(recipefile.Schemas())
	maps.Copy(all, lockfile.Schemas())
	maps.Copy(all, beamline.Schemas())
	maps.Copy(all, policy.Schemas())
	maps.Copy(all, settings.Schemas())
	return all
}

// TestPublishedSchemas: editors check with the schemas that Tagline reads with.
func TestPublishedSchemas(t *testing.T) {
	for name, want := range published() {
		file := filepath.Join("../docs/schemas", name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, want, 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err, "run: go test ./ci -run %s -update", t.Name())
		assert.Equal(t, string(want), string(got), "%s is old; run: go test ./ci -run %s -update", file, t.Name())
	}
}

// example is a block of a page whose first line, a comment, names the file it shows.
var example = regexp.MustCompile("(?s)```[a-z]+\n(# ([a-z0-9-]+/[^\n]+)\n.*?)```")

// examples returns the files that a page shows, by path.
func examples(t *testing.T, page string) fstest.MapFS {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	files := fstest.MapFS{}
	for _, m := range example.FindAllStringSubmatch(string(text), -1) {
		files[m[2]] = &fstest.MapFile{Data: []byte(m[1])}
	}
	require.NotEmpty(t, files)
	return files
}

// TestFormatExamples reads what docs/formats.md shows, with what it leaves out
// beside it.
func TestFormatExamples(t *testing.T) {
	files := examples(t, "../docs/formats.md")
	const config = "beamlines/bl45p/iocs/bl45p-mo-ioc-01/config/"
	files[config+"motors.substitutions"] = &fstest.MapFile{}
	files["generic-iocs/ioc-motorsim/smoke/st.cmd"] = &fstest.MapFile{Data: []byte("iocInit\n")}
	files["generic-iocs/ioc-motorsim/rotor/Makefile"] = &fstest.MapFile{}

	recipes, err := recipefile.Read(files)
	require.NoError(t, err)
	assert.Len(t, recipes.Images, 2)
	assert.Len(t, recipes.Modules, 4)
	_, err = lockfile.Read(files, recipes, "epics-base")
	require.NoError(t, err)
	bl, err := beamline.Read(files, "bl45p")
	require.NoError(t, err)
	require.Len(t, bl.Instances, 1)
	inst := bl.Instances[0]
	assert.Equal(t, "1Gi", inst.Values.Memory, "its own")
	assert.EqualValues(t, 37143, inst.Values.UID, "the beamline's")
	assert.Contains(t, inst.Config, "st.cmd")
}

// TestErrorExamples breaks this repository as docs/errors.md does, and looks
// for every fault in the page.
func TestErrorExamples(t *testing.T) {
	page, err := os.ReadFile("../docs/errors.md")
	require.NoError(t, err)
	files := examples(t, "../docs/errors.md")
	walk(t, func(name string, text []byte) {
		if _, broken := files[name]; !broken {
			files[name] = &fstest.MapFile{Data: text}
		}
	})
	_, _, errs := recipefile.ReadAlone(files)
	_, err = beamline.Read(files, "bl01t")
	faults := diag.All(errors.Join(errs, err))
	first, _, _ := strings.Cut(string(page), "\nA tag is refused")
	assert.Len(t, faults, strings.Count(first, "\ntagline: "))
	for _, fault := range faults {
		assert.Contains(t, string(page), "\ntagline: "+fault.Error()+"\n")
	}
}

// TestFormatKeys: every key that can be written is explained.
func TestFormatKeys(t *testing.T) {
	formats, err := os.ReadFile("../docs/formats.md")
	require.NoError(t, err)
	policies, err := os.ReadFile("../docs/policy.md")
	require.NoError(t, err)
	for name, schema := range published() {
		page, text := "docs/formats.md", string(formats)
		if name == "policy.schema.json" {
			page, text = "docs/policy.md", string(policies)
		}
		var s struct{ Properties map[string]any }
		require.NoError(t, json.Unmarshal(schema, &s))
		require.NotEmpty(t, s.Properties, name)
		for key := range s.Properties {
			assert.Regexp(t, "(?m)(`|^)"+key+"[`.:]", text, "%s does not explain %s of %s", page, key, name)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile("[^a-z0-9 _-]")
	code    = regexp.MustCompile("(?s)```.*?```")
)

// anchors returns the places of a page that a link can name, as GitHub does.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
		all = append(all, "#"+strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

// TestLinks: every link of a page leads somewhere.
func TestLinks(t *testing.T) {
	walk(t, func(name string, text []byte) {
		if path.Ext(name) != ".md" {
			return
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			target, anchor := m[1], m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			to := name
			if target != "" {
				to = path.Join(path.Dir(name), target)
			}
			content, err := os.ReadFile(filepath.Join("..", to))
			if info, e := os.Stat(filepath.Join("..", to)); e == nil && info.IsDir() {
				err = nil
			}
			if !assert.NoError(t, err, "%s links to %s", name, target) || anchor == "" || path.Ext(to) != ".md" {
				continue
			}
			assert.True(
				t, slices.Contains(anchors(string(content)), anchor), "%s links to %s%s, and there is no such heading",
				name, target, anchor,
			)
		}
	})
}
