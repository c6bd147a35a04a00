package cli_test

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/cli"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// command is a line of a workflow that runs tagline: its verb, and what follows.
var command = regexp.MustCompile(`(?m)(?:^|[\s"])(?:bin/)?tagline ([a-z-]+)([^\n]*)$`)

// flagged is a flag in such a line.
var flagged = regexp.MustCompile(`--[a-z-]+`)

// TestWorkflowsCallWhatThereIs: each command in a workflow, of this repository, of a new
// one and of GitLab, is one that there is, with flags that it has.
func TestWorkflowsCallWhatThereIs(t *testing.T) {
	repository := scaffold.Repository{Registry: "ghcr.io/some-org", Version: "v1.2.3"}
	all, err := repository.Common(assettest.Tag("bl02i/1.0.0"))
	require.NoError(t, err)
	promotion, err := repository.Promotion("bl02i")
	require.NoError(t, err)
	maps.Copy(all, promotion)
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	require.NoError(t, err)
	for _, file := range append(files, "../gitlab/tagline.yml") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all[file] = string(text)
	}
	ran := map[string]bool{}
	for name, text := range all {
		if filepath.Ext(name) != ".yml" {
			continue
		}
		for _, script := range scripts(t, text) {
			for _, found := range command.FindAllStringSubmatch(script, -1) {
				var help strings.Builder
				status := cli.Main(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &help, Err: io.Discard},
					func(string) string { return "" }, []string{found[1], "--help"})
				require.Zero(t, status, "%s: tagline %s", name, found[1])
				require.Contains(t, help.String(), "tagline "+found[1], name)
				for _, flag := range flagged.FindAllString(found[2], -1) {
					require.Regexp(t, flag+`\s`, help.String(), "%s: tagline %s", name, found[1])
				}
				ran[name+" "+found[1]] = true
			}
		}
	}
	for _, want := range []string{"check", "release", "promote"} {
		require.True(t, ran["../gitlab/tagline.yml "+want], want)
	}
	require.True(t, ran["../../.github/workflows/site-check.yml check"])
	require.True(t, ran["../../.github/workflows/site-promote.yml promote"])
	require.True(t, ran[".github/workflows/release.yml release"])
}

// TestGitLabHasOurEngine: the engine beside a release on GitLab is of the SDK's version.
func TestGitLabHasOurEngine(t *testing.T) {
	modules, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	sdk := regexp.MustCompile(`dagger\.io/dagger (v\S+)`).FindSubmatch(modules)
	require.NotNil(t, sdk)
	text, err := os.ReadFile("../gitlab/tagline.yml")
	require.NoError(t, err)
	require.Contains(t, string(text), "registry.dagger.io/engine:"+string(sdk[1])+"\n")
}

// scripts returns the shell text in a file of workflows: what stands under run and
// script.
func scripts(t *testing.T, text string) (all []string) {
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				lines, list := inner.([]any)
				line, one := inner.(string)
				switch {
				case one && key == "run":
					all = append(all, line)
				case list && key == "script":
					for _, line := range lines {
						all = append(all, line.(string))
					}
				default:
					look(inner)
				}
			}
		case []any:
			for _, inner := range v {
				look(inner)
			}
		}
	}
	documents := yaml.NewDecoder(strings.NewReader(text))
	for {
		var v any
		err := documents.Decode(&v)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		look(v)
	}
}
