package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/stretchr/testify/require"

	shown "github.com/tagline-ci/tagline/pipelines/status"
)

// own is a repository that `tagline init` began in an empty folder.
type own struct{ *site }

// begin begins a repository that is said to be cloned from a server's address.
func begin(t *testing.T, address string, args ...string) own {
	t.Helper()
	dir := t.TempDir()
	ok(t, dir, append([]string{"init"}, args...)...)
	repo, err := git.PlainInitWithOptions(dir, &git.PlainInitOptions{
		InitOptions: git.InitOptions{DefaultBranch: "refs/heads/main"},
	})
	require.NoError(t, err)
	remote := &config.RemoteConfig{Name: "origin", URLs: []string{"https://git.example.org/" + address}}
	_, err = repo.CreateRemote(remote)
	require.NoError(t, err)
	return own{&site{t: t, dir: dir, repo: repo}}
}

// run runs tagline in the repository, whose settings alone name the registry.
func (o own) run(args ...string) result {
	o.t.Helper()
	return runEnv(o.t, o.dir, []string{"TAGLINE_REGISTRY="}, args...)
}

func (o own) ok(args ...string) string {
	o.t.Helper()
	r := o.run(args...)
	require.Equal(o.t, 0, r.status, "tagline %s: %s", strings.Join(args, " "), r.err)
	return r.out
}

// refuses checks the repository, which must end with a status and messages.
func (o own) refuses(status int, messages ...string) {
	o.t.Helper()
	r := o.run("check")
	require.Equal(o.t, status, r.status, r.err)
	require.Empty(o.t, r.out)
	for _, message := range messages {
		require.Contains(o.t, r.err, "tagline: "+message+"\n")
	}
	require.Equal(o.t, len(messages), strings.Count(r.err, "tagline: "), r.err)
}

// release checks the repository as it was committed, tags it and releases the tag.
func (o own) release(tag string) {
	o.t.Helper()
	o.ok("check")
	o.tag(tag)
	o.ok("release", tag)
}

// TestFourRepositories begins a repository of each class with nothing but the
// command: the root of a hierarchy, the library chart, a generic IOC and a
// beamline. A tag of each is released, and the beamline's IOC answers. What could
// not be released is refused by check.
func TestFourRepositories(t *testing.T) {
	reg := fmt.Sprintf("%s/four/%d", env.Registry, time.Now().UnixNano())
	root := begin(t, "epics/base", "site", "--registry", reg)
	library := begin(t, "helm/ioc-lib", "library", "--registry", reg)
	ioc := begin(t, "iocs/ioc-four", "ioc", "ioc-four", "--registry", reg, "--from", "epics-base 7.0.8.1r1.0")
	line := begin(
		t, "beamlines/bl89t", "beamline", "bl89t", "--registry", reg, "--image", "ioc-four 1.0.0", "--library",
		"ioc-lib 1.0.0",
	)
	for _, o := range []own{root, library, ioc, line} {
		o.commit()
	}

	// Nothing is released yet.
	ioc.refuses(2, "generic-iocs/ioc-four/image.yaml: epics-base 7.0.8.1r1.0 is not released in "+reg+
		"; release it first, with the tag epics-base/7.0.8.1r1.0, or name a released version")
	line.refuses(2, "tagline.yaml: ioc-lib 1.0.0 is not released in "+reg+
		"; release it first, with the tag ioc-lib/1.0.0, or name a released version",
		"beamlines/bl89t/iocs/bl89t-ea-ioc-01/values.yaml: ioc-four 1.0.0 is not released in "+reg+
			"; release it first, with the tag ioc-four/1.0.0, or name a released version")

	root.ok("lock")
	root.commit()
	root.release("epics-base/7.0.8.1r1.0")
	library.release("ioc-lib/1.0.0")
	ioc.ok("lock")
	ioc.commit()
	ioc.release("ioc-four/1.0.0")
	line.release("bl89t/1.0.0")

	line.ok("promote", "bl89t", "1.0.0")
	t.Cleanup(func() { remove(t, "bl89t") })
	var now shown.Status
	read(t, &now, line.dir, "status", "bl89t")
	require.Len(t, now.Instances, 1)
	require.True(t, now.Instances[0].Ready)
	require.Regexp(t, `bl89t-ea-ioc-01 .*\s\d+\s`, line.ok("find", "BL89T-EA-IOC-01:HEARTBEAT"))

	checksRefuse(t, reg)
}

// checksRefuse checks what can't be released beside the four repositories, whose
// releases are in reg.
func checksRefuse(t *testing.T, reg string) {
	// A name belongs to the repository that released it.
	other := begin(t, "staff/ioc-four", "ioc", "ioc-four", "--registry", reg, "--from", "epics-base 7.0.8.1r1.0")
	other.commit("ioc-four/1.0.1")
	foreign := "releasing ioc-four: the name belongs to git.example.org/iocs/ioc-four, which released ioc-four/1.0.0; " +
		"this is git.example.org/staff/ioc-four; rename the asset's folder, or release it from that repository"
	other.refuses(3, foreign)
	r := other.run("release", "ioc-four/1.0.1")
	require.Equal(t, 3, r.status, r.err)
	require.Contains(t, r.err, "the name belongs to git.example.org/iocs/ioc-four")

	// No tag could name a folder like this.
	folder := filepath.Join(other.dir, "generic-iocs")
	require.NoError(t, os.Rename(filepath.Join(folder, "ioc-four"), filepath.Join(folder, "Ioc_Four")))
	other.commit()
	other.refuses(2, `generic-iocs/Ioc_Four: "Ioc_Four" can't be an image's name: only lower-case letters, digits `+
		"and -, at most 63; rename the folder, as in ioc-simstage")

	// Nobody signed in at the server of this source.
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(private.Close)
	support := begin(
		t, "support/interlock", "support", "interlock", "--registry", reg, "--from", "epics-base 7.0.8.1r1.0",
		"--git", private.URL+"/interlock", "--ref", "R1-0",
	)
	support.write("generic-iocs/interlock/image.lock.yaml", "modules:\n  interlock:\n    ref: R1-0\n"+
		"    commit: aa85e3011f4a01de220c94d636a3e0df82974fe2\n")
	support.commit()
	support.refuses(2, "generic-iocs/interlock/image.yaml:6: asking "+private.URL+"/interlock for R1-0 of interlock: "+
		"authentication required; give a login for 127.0.0.1 in .netrc or TAGLINE_NETRC, or correct the URL in "+
		"generic-iocs/support/interlock.yaml")
}
