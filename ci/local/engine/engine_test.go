package engine

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

func testEngine(t *testing.T) engine {
	t.Helper()
	return engine{
		Bin: "/state/bin/daggerd-1", SDK: sdk{Content: "/state/sdk/1", Digest: "sha256:1"},
		Name: firstName, Cgroup: cgroup,
		Options: Options{
			State: state.Dir(t.TempDir()), Ports: shelf.Ports{Gateway: host.GatewayIP, Registry: 5001},
		},
	}
}

// readConfig returns the registries of the engine's configuration file.
func readConfig(t *testing.T, s state.Dir) map[string]struct {
	HTTP    bool
	Mirrors []string
} {
	t.Helper()
	b, err := os.ReadFile(s.Path("engine", "engine.json"))
	require.NoError(t, err)
	var config struct {
		Registries map[string]struct {
			HTTP    bool
			Mirrors []string
		}
	}
	require.NoError(t, json.Unmarshal(b, &config))
	return config.Registries
}

func TestTheRegistryIsPlainHTTPByEveryName(t *testing.T) {
	e := testEngine(t)
	require.NoError(t, writeConfig(e.path("engine.json"), e.config()))
	registries := readConfig(t, e.State)
	for _, address := range []string{"10.87.0.1:5001", "127.0.0.1:5001", "localhost:5001"} {
		assert.True(t, registries[address].HTTP, address)
	}
	assert.NotContains(t, registries, "docker.io", "Docker Hub answers")
}

func TestTheRegistryStandsInForDockerHub(t *testing.T) {
	e := testEngine(t)
	e.HubOut = true
	require.NoError(t, writeConfig(e.path("engine.json"), e.config()))
	assert.Equal(t, []string{"10.87.0.1:5001"}, readConfig(t, e.State)["docker.io"].Mirrors)
}

func TestTheEngineSeesNothingOfTheMachineThatItWouldChange(t *testing.T) {
	e := testEngine(t)
	enclosure := e.enclosure()
	assert.Contains(t, enclosure.Empty, "/run")
	assert.Contains(t, enclosure.Copied, "/etc")
	shown := map[string]string{}
	for _, b := range enclosure.Binds {
		shown[b.To] = b.From
	}
	// Where package distconsts has the engine look.
	assert.Equal(t, e.Bin, shown["/opt/tagline/bin"])
	assert.Equal(t, e.SDK.Content, shown["/opt/tagline/content"])
	assert.Equal(t, e.State.Path("engine", "cni"), shown["/opt/cni/bin"])
	assert.Equal(t, e.State.Path("engine", "cni-state"), shown[host.CNIState])
	assert.Equal(t, string(e.State), shown[string(e.State)], "also where the state lies below /run")
	assert.Equal(t, enclosure, e.enclosure(), "the engine would be started anew each time")
}

func TestWhatTheEngineRunsIsPreparedTwice(t *testing.T) {
	e := testEngine(t)
	for range 2 {
		require.NoError(t, e.prepare())
	}
	for link, want := range map[string]string{
		"cni/bridge":           "/usr/lib/cni/bridge",
		"cni/dnsname":          "/state/bin/daggerd-1/dnsname",
		"bin/iptables":         "/usr/sbin/iptables-legacy",
		"bin/iptables-restore": "/usr/sbin/iptables-legacy-restore",
		"bin/ip6tables":        "/usr/sbin/ip6tables-legacy",
	} {
		got, err := os.Readlink(e.State.Path("engine", link))
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	info, err := os.Stat(e.State.Path("engine", "bin", "dnsmasq"))
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&0o100, "it is a program")
	b, err := os.ReadFile(e.State.Path("engine", "buildkitd.toml"))
	require.NoError(t, err)
	assert.Contains(t, string(b), cgroup)
}

func TestTheImageOfGoModules(t *testing.T) {
	goroot, bin := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"bin/go": "go", "src/fmt/print.go": "package fmt", "test/long.go": "x", "api/go1.txt": "x"} {
		require.NoError(t, state.WriteFile(filepath.Join(goroot, name), []byte(text), 0o755))
	}
	require.NoError(t, os.Symlink("go", filepath.Join(goroot, "bin", "gofmt")))
	require.NoError(t, state.WriteFile(filepath.Join(bin, "codegen"), []byte("codegen"), 0o755))
	p := sdkParts{Goroot: goroot, Bin: bin, Go: "go1.26.8"}
	path := filepath.Join(t.TempDir(), "go.tar")
	require.NoError(t, p.writeLayer(t.Context(), path))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	found := map[string]byte{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		found[h.Name] = h.Typeflag
		assert.Zero(t, h.Uid, h.Name)
		assert.Empty(t, h.Uname, h.Name)
	}
	for name, kind := range map[string]byte{
		"usr/local/go/bin/go": tar.TypeReg, "usr/local/go/bin/gofmt": tar.TypeSymlink,
		"usr/local/go/src/fmt/print.go": tar.TypeReg, "usr/local/bin/codegen": tar.TypeReg,
		"usr/local/libexec/go/go": tar.TypeReg,
		"go/pkg/mod/":             tar.TypeDir, "root/.cache/go-build/": tar.TypeDir,
	} {
		assert.Equal(t, kind, found[name], name)
	}
	for name := range found {
		assert.False(
			t, strings.HasPrefix(name, "usr/local/go/test") || strings.HasPrefix(name, "usr/local/go/api"), name,
		)
	}
}

func TestEachPartOfTheImageChangesItsKey(t *testing.T) {
	base := sdkParts{Bin: "/state/bin/daggerd-1", Go: "go1.26.8", Env: []string{"GOPROXY=a"}}
	bin, version, env := base, base, base
	bin.Bin, version.Go, env.Env = "/state/bin/daggerd-2", "go1.26.9", []string{"GOPROXY=b"}
	for _, other := range []sdkParts{bin, version, env} {
		assert.NotEqual(t, base.key(), other.key())
	}
	moved := base
	moved.Bin = "/elsewhere/bin/daggerd-1"
	assert.Equal(t, base.key(), moved.key(), "where it lies changes nothing")
}

func TestSettingsOfGo(t *testing.T) {
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOPROXY", "https://proxy.example.org")
	t.Setenv("GOPRIVATE", "git.example.org")
	env, err := goSettings(t.Context())
	require.NoError(t, err)
	assert.Subset(t, env, []string{"GOPRIVATE=git.example.org", "GOPROXY=https://proxy.example.org"})
	assert.IsIncreasing(t, env)
	root, version, err := goInstallation(t.Context())
	require.NoError(t, err)
	assert.DirExists(t, root)
	assert.True(t, strings.HasPrefix(version, "go1."), version)
}

func TestAddress(t *testing.T) {
	assert.Equal(t, "unix:///var/lib/tagline/engine/engine.sock", Address("/var/lib/tagline"))
}
