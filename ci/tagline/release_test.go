// Package main_test releases Tagline itself, as a tag v1.2.3 does.
package main_test

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// TestRelease lets goreleaser release a clone that is tagged v0.0.1, for the
// platform of this machine: to a stand-in for GitHub's API, through goreleaser's own
// client, and to a registry. It does not sign: a workflow's identity is only on
// GitHub. The other platforms are left out for their time.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds goreleaser, and Tagline three times")
	}
	page := &githubPage{assets: map[string][]byte{}}
	api := httptest.NewServer(page)
	t.Cleanup(api.Close)
	shelf := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(shelf.Close)
	host := strings.TrimPrefix(shelf.URL, "http://")
	clone, commit := tagged(t, api.URL, host)

	cmd := exec.Command("go", "tool", "-modfile=ci/goreleaser/go.mod", "goreleaser", "release", "--skip=sign")
	cmd.Dir = clone
	// A setting such as -buildvcs=false would leave the version out.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GITHUB_TOKEN=none", "GORELEASER_CURRENT_TAG=v0.0.1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	stem := "tagline_0.0.1_" + runtime.GOOS + "_" + runtime.GOARCH
	require.True(t, page.published)
	require.Len(t, page.assets, 3)
	sums := string(page.assets["checksums.txt"])
	for _, asset := range []string{stem + ".tar.gz", stem + ".cdx.json"} {
		sum := sha256.Sum256(page.assets[asset])
		require.Contains(t, sums, hex.EncodeToString(sum[:])+"  "+asset+"\n")
	}
	require.Contains(t, string(page.assets[stem+".cdx.json"]), "pkg:golang/helm.sh/helm/v3@")
	archived := unpack(t, page.assets[stem+".tar.gz"])
	for _, shell := range []string{"bash", "fish", "zsh"} {
		require.FileExists(t, filepath.Join(archived, "completions", "tagline."+shell))
	}
	said, err := exec.Command(filepath.Join(archived, "tagline"), "version", "--output", "json").Output()
	require.NoError(t, err)
	var build struct {
		Version, Commit, Time string
		Modified              bool
	}
	require.NoError(t, json.Unmarshal(said, &build))
	require.Equal(t, "v0.0.1", build.Version)
	require.Equal(t, commit, build.Commit)
	require.NotEmpty(t, build.Time)
	require.False(t, build.Modified)

	ref, err := name.ParseReference(host + "/tagline-ci/tagline:v0.0.1")
	require.NoError(t, err)
	image, err := remote.Image(ref)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, []string{"/ko-app/tagline"}, config.Config.Entrypoint)
	pushed, err := remote.Head(ref)
	require.NoError(t, err)
	made, err := os.ReadFile(filepath.Join(clone, "dist", "artifacts.json"))
	require.NoError(t, err)
	require.Contains(t, string(made), `/tagline@`+pushed.Digest.String()+`"`, "what docker_signs lets cosign sign")
}

// tagged returns a clone of what is committed here, tagged v0.0.1, whose release goes
// to an API and a registry of this machine, and the commit of the tag.
func tagged(t *testing.T, api, registry string) (clone, commit string) {
	base, err := name.ParseReference(registry + "/base")
	require.NoError(t, err)
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH})
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(base, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: image, Descriptor: v1.Descriptor{Platform: &platform},
	})))

	clone = t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", clone}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
			"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "git %v: %s", args, out)
		return strings.TrimSpace(string(out))
	}
	here, err := filepath.Abs("../..")
	require.NoError(t, err)
	git("clone", "-q", "--no-tags", here, ".")
	git("remote", "set-url", "origin", "https://github.com/tagline-ci/tagline")
	file := filepath.Join(clone, ".goreleaser.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	config := string(text)
	for old, new := range map[string]string{
		"goos: [linux, darwin]":                        "goos: [" + runtime.GOOS + "]",
		"goarch: [amd64, arm64]":                       "goarch: [" + runtime.GOARCH + "]",
		"platforms: [linux/amd64, linux/arm64]":        "platforms: [linux/" + runtime.GOARCH + "]",
		"gcr.io/distroless/static-debian13:debug":      registry + "/base",
		`repositories: ["ghcr.io/tagline-ci/tagline"]`: `repositories: ["` + registry + `/tagline-ci/tagline"]`,
	} {
		require.Contains(t, config, old)
		config = strings.ReplaceAll(config, old, new)
	}
	config += fmt.Sprintf("\ngithub_urls: {api: %q, upload: %q, download: %q}\n", api, api, api)
	require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
	git("commit", "-qam", "Release to this machine")
	git("tag", "v0.0.1")
	return clone, git("rev-parse", "HEAD")
}

// githubPage stands in for the release pages of one repository on GitHub.
type githubPage struct {
	sync.Mutex
	published bool
	assets    map[string][]byte
}

// ServeHTTP implements http.Handler with what goreleaser's client asks for.
func (p *githubPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.Lock()
	defer p.Unlock()
	const releases = "/repos/tagline-ci/tagline/releases"
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v3"), "/api/uploads")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	release := map[string]any{"id": 1, "tag_name": "v0.0.1", "html_url": "https://github.com/x"}
	switch r.Method + " " + path {
	case "GET /rate_limit":
		answer(http.StatusOK, map[string]any{"resources": map[string]any{"core": map[string]any{"remaining": 5000}}})
	case "POST " + releases:
		answer(http.StatusCreated, release)
	case "POST " + releases + "/1/assets":
		p.assets[r.URL.Query().Get("name")] = body
		answer(http.StatusCreated, map[string]any{"id": len(p.assets)})
	case "PATCH " + releases + "/1":
		p.published = strings.Contains(string(body), `"draft":false`)
		answer(http.StatusOK, release)
	default:
		answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
	}
}

// unpack returns the folder of an archive's files.
func unpack(t *testing.T, archive []byte) string {
	dir := t.TempDir()
	zipped, err := gzip.NewReader(strings.NewReader(string(archive)))
	require.NoError(t, err)
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(header.Name), header.Name)
		file := filepath.Join(dir, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		text, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, header.FileInfo().Mode()))
	}
}
