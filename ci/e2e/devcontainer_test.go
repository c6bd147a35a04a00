package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"
)

// engine connects to the engine that commands use.
func engine(t *testing.T) *dagger.Client {
	t.Helper()
	for _, pair := range env.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	client, err := dagger.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

// TestDevcontainerBuildsTheIOC opens what .devcontainer says as an editor does,
// and builds the IOC again with plain make, after a change of its own source
// and of its support module's.
func TestDevcontainerBuildsTheIOC(t *testing.T) {
	s, reg := newSite(t, "bl90t"), registry(t)
	s.images(reg)
	text, err := os.ReadFile(filepath.Join(s.dir, ".devcontainer/devcontainer.json"))
	require.NoError(t, err)
	var dev struct {
		Image             string
		Mounts            []string
		PostCreateCommand string
	}
	require.NoError(t, json.Unmarshal(text, &dev))
	client := engine(t)
	c := client.Container().From(strings.Replace(dev.Image, "${localEnv:TAGLINE_REGISTRY:ghcr.io/tagline-ci}", reg, 1))
	for _, mount := range dev.Mounts {
		part := strings.Split(mount, ",")
		from := strings.Replace(strings.TrimPrefix(part[0], "source="), "${localWorkspaceFolder}", s.dir, 1)
		c = c.WithDirectory(strings.TrimPrefix(part[1], "target="), client.Host().Directory(from))
	}
	c = c.WithExec([]string{"sh", "-ec", dev.PostCreateCommand})

	const ioc, library = "/epics/ioc/bin/linux-x86_64/ioc", "/epics/support/simstage/lib/linux-x86_64/libsimstage.so"
	sums := func(c *dagger.Container) []string {
		return strings.Fields(output(t, c, "sha256sum", ioc, library))
	}
	before := sums(c)
	c = c.WithWorkdir("/epics/ioc")
	require.Equal(t, before, sums(c.WithExec([]string{"make"})), "nothing changed")
	const simMotion = "/epics/support/simstage/simstageApp/src/simMotion.c"
	change := func(file string) *dagger.Container {
		return c.WithExec([]string{"sh", "-c", "echo 'const char *changed = __FILE__;' >> " + file})
	}
	changed := change("iocApp/src/main.cpp").WithExec([]string{"make"})
	require.NotEqual(t, before[0], sums(changed)[0], "the IOC was not built again")
	changed = change(simMotion).WithExec([]string{"make", "-C", "/epics/support/simstage"}).WithExec([]string{"make"})
	require.NotEqual(t, before[2], sums(changed)[2], "the support module was not built again")
	for _, tool := range []string{"gdb", "git", "caget", "pvget"} {
		output(t, c, "sh", "-c", "command -v "+tool)
	}
}
