package cli

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/check"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/settings"
)

// demonstration returns one that stands in its place, with a git server and an empty
// registry, and what it shows.
func demonstration(t *testing.T) (*demo, *bytes.Buffer) {
	t.Helper()
	dir := state.Dir(t.TempDir())
	mirrors, err := shelf.MirrorHandler(dir.Mirrors())
	require.NoError(t, err)
	server := httptest.NewServer(mirrors)
	t.Cleanup(server.Close)
	up, err := json.Marshal(local.Env{Registry: registrytest.Serve(t, nil), Git: server.URL + "/"})
	require.NoError(t, err)
	require.NoError(t, state.WriteFile(dir.Path("env.json"), up, 0o644))
	env := map[string]string{
		"TAGLINE_STATE": string(dir), "PATH": os.Getenv("PATH"), "TAGLINE_REGISTRY": "not.this.example.org",
	}
	var shown bytes.Buffer
	d := &demo{app: &app{
		Streams: Streams{Out: &shown, Err: &shown}, env: func(name string) string { return env[name] },
	}}
	require.NoError(t, d.place())
	return d, &shown
}

// made makes a repository as begin does, but for what needs an engine.
func made(t *testing.T, d *demo, r repository) {
	t.Helper()
	there, err := d.clone(t.Context(), r)
	require.NoError(t, err)
	require.False(t, there)
	require.NoError(t, d.write(t.Context(), r))
	require.NoError(t, d.push(t.Context(), r.tag, "Begin "+r.name(), "."))
}

// TestTheDemonstrationsRepositories: each is begun by tagline init, without a checkout,
// has the asset that tagline carries and names the registry; what was pushed is all
// that a release of it needs.
func TestTheDemonstrationsRepositories(t *testing.T) {
	d, _ := demonstration(t)
	for _, r := range []repository{
		ownRoot(), ownIOC(demoIOC, "simstage"), ownIOC(demoCamera, "simcamera"),
		ownBeamline(demoLine), ownBeamline(demoOther),
	} {
		made(t, d, r)
		runner := t.TempDir()
		_, err := git.PlainClone(runner, false, &git.CloneOptions{URL: d.served + r.name()})
		require.NoError(t, err)
		require.True(t, has(runner, r.tag), r.tag)
		own, err := settings.Read(os.DirFS(runner))
		require.NoError(t, err)
		require.Equal(t, d.registry, own.Registry)
		_, err = check.Alone(os.DirFS(runner))
		if r.name() == "epics-base" {
			require.ErrorContains(t, err, "epics-base is not locked")
			require.NotContains(t, err.Error(), "\n")
		} else {
			require.NoError(t, err, r.tag)
		}
		for _, carried := range r.carried {
			assertSameFiles(t, carried, runner)
		}
	}
}

// schema is a line that says where editors find the schema of a file.
var schema = regexp.MustCompile(`\$schema=\S+/`)

// assertSameFiles: a file or folder of this repository is the same in another one, with
// nothing beside it.
func assertSameFiles(t *testing.T, name, other string) {
	t.Helper()
	read := func(root string) map[string]string {
		all := map[string]string{}
		require.NoError(t, filepath.WalkDir(filepath.Join(root, name), func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(at)
			rel, _ := filepath.Rel(root, at)
			all[rel] = schema.ReplaceAllString(string(text), "$$schema=")
			return err
		}))
		return all
	}
	assert.Equal(t, read(filepath.Join("..", "..")), read(other), name)
}

// seals seals a release of a tag, as small as one can be.
func seals(t *testing.T, d *demo, tag string) {
	t.Helper()
	reg, err := d.openRegistry(t.Context(), &site{registry: d.registry})
	require.NoError(t, err)
	image, err := random.Image(16, 1)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	at, err := name.NewDigest(d.registry + "/charts/x@" + digest.String())
	require.NoError(t, err)
	require.NoError(t, remote.Write(at, image))
	of := assettest.Tag(tag)
	_, err = reg.Seal(t.Context(), &record.Record{
		Schema: record.Schema, Kind: asset.Library, Asset: of.Asset, Version: of.Version, Tag: of,
		Commit: pushed(t, d, tag), Tool: "test", Checks: []record.Test{{Name: "lint", Of: "x", Passed: true}},
		Artifacts: []record.Artifact{{
			Name: "charts/x", Type: record.ChartType, Digest: asset.Digest(digest.String()),
			Ref: asset.Ref(at.Context().Name() + ":" + of.Version.OCITag()),
		}},
	})
	require.NoError(t, err)
}

// pushed returns the commit of a tag of bl01t on the server.
func pushed(t *testing.T, d *demo, tag string) string {
	t.Helper()
	repo, err := git.PlainOpen(filepath.Join(d.bare, demoLine+".git"))
	require.NoError(t, err)
	ref, err := repo.Tag(tag)
	require.NoError(t, err)
	return ref.Hash().String()
}

// TestTheDemonstrationGoesOn: a repository that was not released begins anew, wherever a
// run was killed, with the same commit; one that was released stays as it is.
func TestTheDemonstrationGoesOn(t *testing.T) {
	d, shown := demonstration(t)
	line, next := ownBeamline(demoLine), demoLine+"/"+demoSecond
	const script = "beamlines/bl01t/iocs/bl01t-mo-ioc-02/config/st.cmd"
	require.NoError(t, os.MkdirAll(filepath.Join(d.work, demoLine, ".git"), 0o755), "a clone that was killed")
	made(t, d, line)
	first := pushed(t, d, line.tag)
	made(t, d, line)
	require.Equal(t, first, pushed(t, d, line.tag))
	seals(t, d, line.tag)

	shown.Reset()
	require.NoError(t, d.begin(t.Context(), line))
	require.Empty(t, shown.String(), "nothing is left to do")
	require.NoError(t, d.change(t.Context(), line, script, next))
	second := pushed(t, d, next)
	require.NotEqual(t, first, second)
	shown.Reset()
	require.NoError(t, d.change(t.Context(), line, script, next))
	require.Empty(t, shown.String(), "nothing is left to do")

	// A run was killed between tag and push.
	require.NoError(t, d.git(t.Context(), "push", "--quiet", "--delete", "origin", next))
	require.NoError(t, d.change(t.Context(), line, script, next))
	require.Equal(t, second, pushed(t, d, next))

	// Somebody took the working repository away.
	require.NoError(t, os.RemoveAll(d.at))
	require.NoError(t, d.begin(t.Context(), line))
	require.True(t, has(d.at, line.tag))
	require.True(t, has(d.at, next))
	require.Equal(t, first, pushed(t, d, line.tag))

	// The repository knows its registry, whatever the shell that the demonstration runs in does.
	var out bytes.Buffer
	require.NoError(t, d.command(t.Context(), &out, []string{"record", line.tag}))
	require.Contains(t, out.String(), "bl01t 2026.11.1 (library) from commit "+first[:12])
}

// TestThePlaceOfTheDemonstration: the same each time, and another one where the machine
// serves elsewhere.
func TestThePlaceOfTheDemonstration(t *testing.T) {
	d, _ := demonstration(t)
	was := *d
	require.NoError(t, d.place())
	require.Equal(t, was, *d)
	require.Regexp(t, `^127\.0\.0\.1:\d+/demo/[0-9a-f]{12}$`, d.registry)
	other, _ := demonstration(t)
	require.NotEqual(t, filepath.Base(d.work), filepath.Base(other.work))
}

// TestThePolicyOfTheDemonstration: in a cluster that this machine offered, a beamline of
// the demonstration gets a policy by the command of a person; in that of tagline up it
// gets one anyway.
func TestThePolicyOfTheDemonstration(t *testing.T) {
	d, shown := demonstration(t)
	server := clustertest.Start()
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(server.Kubeconfig()), 0o600))
	dir, err := d.state()
	require.NoError(t, err)
	const words = "$ tagline policy init bl01t --unsigned 'this is a demonstration'\n"
	for _, choice := range []string{"stand-in", "running cluster"} {
		up, err := json.Marshal(local.Env{
			Kubeconfig: kubeconfig, Parts: []local.Part{{Part: "cluster", Choice: choice}},
		})
		require.NoError(t, err)
		require.NoError(t, state.WriteFile(dir.Path("env.json"), up, 0o644))
		require.NotContains(t, shown.String(), words)
		require.NoError(t, d.policy(t.Context(), "bl01t"))
	}
	require.Contains(t, shown.String(), words)
	require.Contains(t, shown.String(), "  unsigned: \"this is a demonstration\"\n")
	require.NoError(t, d.policy(t.Context(), "bl01t"), "it goes on with what is there")
	require.Contains(t, shown.String(), "bl01t has a policy already, which was left alone")
}
