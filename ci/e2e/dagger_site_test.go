package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/shelf"
)

// TestDaggerByAddress uses the module as a site does that has no clone of this
// repository: by address and version from a git server, and then installed as a
// toolchain of the site's own repository.
func TestDaggerByAddress(t *testing.T) {
	s, address := newSite(t, "bl91t"), serveModule(t, "v1.2.3")
	require.NoError(t, os.Remove(filepath.Join(s.dir, "dagger.json"))) // that of this repository
	s.commit("bl91t/1.0.0")

	planned := done(t, s, "-m", address, "call", "plan", "--tag", "bl91t/1.0.0", "steps", "what")
	require.Contains(t, planned, "chart bl91t-mo-ioc-01")

	done(t, s, "init", "--name", "site")
	done(t, s, "toolchain", "install", address)
	require.Contains(t, done(t, s, "call", "tagline", "instances", "name"), "bl91t-mo-ioc-01")
	done(t, s, "check", "tagline:tree")

	s.edit(s.instance("01", "values.yaml"), "probePV", "probePVs")
	s.commit()
	failed, err := runDagger(t, s, "check", "tagline:tree")
	require.Error(t, err, failed.log)
	require.Contains(t, failed.log, s.instance("01", "values.yaml"))
}

// done runs a dagger command that must succeed and returns its output.
func done(t *testing.T, s *site, args ...string) string {
	t.Helper()
	r, err := runDagger(t, s, args...)
	require.NoError(t, err, "dagger %s\n%s", strings.Join(args, " "), r.log)
	return r.out
}

// serveModule tags this repository's last commit in a clone that a git server
// has, and returns the module's address. The address of a module has no port.
func serveModule(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	clone := filepath.Join(dir, "tagline-ci", "tagline.git")
	runGit(t, "clone", "--quiet", "--bare", root, clone)
	runGit(t, "-C", clone, "tag", version, "HEAD")
	handler, err := shelf.MirrorHandler(dir)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", net.JoinHostPort(host.GatewayIP, "80"))
	require.NoError(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { server.Close() })
	go server.Serve(listener)
	return "http://" + host.GatewayIP + "/tagline-ci/tagline.git@" + version
}

func runGit(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
	require.NoError(t, err, string(out))
}
