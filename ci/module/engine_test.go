//go:build standin

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdk "dagger.io/dagger"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// library is a clone of a repository that has a library chart alone, with the tag
// ioc-lib/1.2.0.
func library(t *testing.T) *dagger.Workspace {
	t.Helper()
	return siteOf(t, "ioc-lib/1.2.0", "charts")
}

// write commits a file.
func write(t *testing.T, ws *dagger.Workspace, file, text string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(ws.Dir, file)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(ws.Dir, file), []byte(text), 0o644))
	git(t, ws.Dir, "add", ".")
	git(t, ws.Dir, "commit", "-q", "-m", "change "+file)
}

// TestRelease: a tag is released once, signed by the key that was given, and verified as
// the command does. What everybody gets is addressed by digest.
func TestRelease(t *testing.T) {
	(&enginetest.Engine{}).Serve(t)
	key, public, err := sign.NewKey([]byte("secret"))
	require.NoError(t, err)
	_, another, err := sign.NewKey(nil)
	require.NoError(t, err)
	host := registrytest.Serve(t, nil)
	m := New(library(t), host+"/site", nil, "", nil)
	release := func() *Release {
		r, err := m.Release(t.Context(), "ioc-lib/1.2.0", &dagger.Secret{Text: string(key)},
			&dagger.Secret{Text: "secret"}, "", nil, nil, nil, false)
		require.NoError(t, err)
		return r
	}
	r := release()
	assert.Equal(t, "ioc-lib/1.2.0", r.Tag)
	assert.Len(t, r.Commit, 40)
	require.Len(t, r.Artifacts, 1)
	a := r.Artifacts[0]
	assert.Equal(t, "ioc-lib chart "+host+"/site/charts/ioc-lib:1.2.0", a.Name+" "+a.Kind+a.Target+" "+a.Ref)
	assert.Equal(t, host+"/site/charts/ioc-lib@"+a.Digest, a.Container().Address)
	assert.Equal(t, []*dagger.Container{}, r.Containers(), "a chart is none, and none is a list")
	assert.Contains(t, r.Record.Text, `"tool": "devel"`)
	assert.Equal(t, r, release(), "what is released is left as it is")

	verify := func(key []byte) (*dagger.File, error) {
		return m.Verify(t.Context(), "ioc-lib/1.2.0", []*dagger.File{{Text: string(key)}}, nil, "", nil, nil)
	}
	report, err := verify(public)
	require.NoError(t, err)
	assert.Contains(t, report.Text, a.Digest)
	_, err = verify(another)
	assert.Equal(t, diag.Refused, diag.KindOf(err))
}

// TestDiffOfReleases: both sides are read from the registry, each in its place.
func TestDiffOfReleases(t *testing.T) {
	(&enginetest.Engine{}).Serve(t)
	ws := library(t)
	text, err := os.ReadFile(filepath.Join(ws.Dir, "charts/ioc-lib/templates/_deployment.tpl"))
	require.NoError(t, err)
	write(t, ws, "charts/ioc-lib/templates/_deployment.tpl", string(text)+"{{/* another */}}\n")
	git(t, ws.Dir, "tag", "ioc-lib/1.3.0")
	m := New(ws, registrytest.Serve(t, nil), nil, "", nil)
	for _, tag := range []string{"ioc-lib/1.2.0", "ioc-lib/1.3.0"} {
		_, err := m.Release(t.Context(), tag, nil, nil, "", nil, nil, nil, false)
		require.NoError(t, err)
	}
	d, err := m.Diff(t.Context(), "ioc-lib/1.2.0", "1.3.0")
	require.NoError(t, err)
	assert.Contains(t, d.Text, `"from": "1.2.0"`)
	assert.Contains(t, d.Text, `"to": "1.3.0"`)
	assert.Contains(t, d.Text, "+{{/* another */}}")
	_, err = m.Diff(t.Context(), "ioc-lib/1.2.0", "ioc-lib/1.4.0")
	assert.ErrorContains(t, err, "ioc-lib 1.4.0: no such release")
}

// TestCheck: what a tag would release is tested, and nothing is published.
func TestCheck(t *testing.T) {
	(&enginetest.Engine{}).Serve(t)
	m := module(library(t))
	report, err := m.Check(t.Context(), "ioc-lib/1.9.0", "HEAD", false, false)
	require.NoError(t, err)
	require.Len(t, report.Tests, 1)
	assert.Equal(t, "package of ioc-lib", report.Tests[0].Name+" of "+report.Tests[0].Of)
	assert.NotEmpty(t, report.Tests[0].Evidence)
	_, err = m.Check(t.Context(), "ioc-lib/1.09.0", "HEAD", false, false)
	assert.ErrorContains(t, err, "tag ioc-lib/1.9.0")
}

// TestChange: each asset that a branch changes is tested, and one that fails is the error
// of the call. A branch that changes none is well.
func TestChange(t *testing.T) {
	(&enginetest.Engine{}).Serve(t)
	ws := library(t)
	write(t, ws, "README.md", "a text\n")
	report, err := module(ws).Change(t.Context(), "HEAD~1")
	require.NoError(t, err)
	assert.Equal(t, &Report{Tests: []*Test{}}, report)
	write(t, ws, "charts/ioc-lib/README.md", "a text\n")
	report, err = module(ws).Change(t.Context(), "HEAD~2")
	require.NoError(t, err)
	require.Len(t, report.Tests, 1)
	assert.Equal(t, "ioc-lib", report.Tests[0].Of)
	write(t, ws, "charts/ioc-lib/Chart.yaml", "name: x\n")
	write(t, ws, "charts/other/Chart.yaml", "name: y\n")
	report, err = module(ws).Change(t.Context(), "HEAD~2")
	require.Nil(t, report)
	assert.ErrorContains(t, err, "charts/ioc-lib/Chart.yaml")
	assert.ErrorContains(t, err, "charts/other/Chart.yaml", "one fault hides no other")
	_, err = module(ws).Change(t.Context(), "origin/main")
	assert.ErrorContains(t, err, "origin/main")
}

// TestTheEngineGetsTheLogin: the session that builds signs in where the release is pushed,
// and at no registry where no login is given.
func TestTheEngineGetsTheLogin(t *testing.T) {
	host, ws := registrytest.Serve(t, nil), library(t)
	for user, password := range map[string]*dagger.Secret{"ajp": {Text: "s3cret"}, "": nil} {
		var logins []string
		e := &enginetest.Engine{Answer: func(question string) (any, error) {
			if strings.Contains(question, "withRegistryAuth") {
				logins = append(logins, question)
			}
			return nil, nil
		}}
		e.Serve(t)
		_, err := New(ws, host+"/site", nil, user, password).releases(t.Context())
		require.NoError(t, err)
		if user == "" {
			assert.Empty(t, logins)
			continue
		}
		require.Len(t, logins, 1)
		assert.Contains(t, logins[0], `withRegistryAuth(address:"`+host+`", `)
		assert.Contains(t, logins[0], `username:"ajp"`)
	}
	refused := &enginetest.Engine{Answer: func(string) (any, error) { return nil, errors.New("no such session") }}
	refused.Serve(t)
	_, err := New(ws, host+"/site", nil, "ajp", &dagger.Secret{Text: "s3cret"}).releases(t.Context())
	assert.ErrorContains(t, err, "giving the engine the login for "+host+": ")
	assert.NotContains(t, err.Error(), "s3cret")
}

// TestSettings: tagline.yaml names the registry where no flag does, and whose signatures
// count; what is wrong there is said before anything is built.
func TestSettings(t *testing.T) {
	ws := library(t)
	_, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	write(t, ws, "tagline.yaml", "registry: registry.example.org/own\nsigners:\n  - key: |\n"+indented(string(public)))
	p, err := module(ws).unconnected(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "registry.example.org/own", p.Registry.Prefix())
	require.NotNil(t, p.Trusted)
	assert.Len(t, p.Trusted("ioc-x"), 1)
	reg, err := module(ws).registry(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "registry.example.org/own", reg.Prefix())

	given := New(ws, "registry.example.org/given", nil, "", nil)
	p, err = given.unconnected(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "registry.example.org/given", p.Registry.Prefix())

	write(t, ws, "tagline.yaml", "registries: x\n")
	_, err = module(ws).unconnected(t.Context())
	assert.ErrorContains(t, err, "tagline.yaml:1")
	_, err = module(ws).registry(t.Context())
	assert.ErrorContains(t, err, "tagline.yaml:1")
	p, err = module(library(t)).unconnected(t.Context())
	require.NoError(t, err)
	assert.Nil(t, p.Registry)
	assert.Nil(t, p.Trusted, "nobody is asked for")
}

// TestBrowseWhatHasFaults: each fault of each beamline is told; a root names what it is
// built on, and a tree without any says so.
func TestBrowseWhatHasFaults(t *testing.T) {
	ws := site(t)
	image, err := module(ws).Image(t.Context(), "epics-base", "HEAD")
	require.NoError(t, err)
	assert.Contains(t, image.From, "debian:")
	write(t, ws, "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml", "probePVs: x\n")
	write(t, ws, "beamlines/bl45p/beamline.yaml", "namespaces: x\n")
	_, err = module(ws).Instances(t.Context(), "HEAD")
	assert.ErrorContains(t, err, "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml:1")
	assert.ErrorContains(t, err, "beamlines/bl45p/beamline.yaml:1")
	_, err = module(ws).Beamlines(t.Context(), "bl01t/2026.11.1")
	assert.NoError(t, err, "the tag has none of them")

	empty := module(library(t))
	_, err = empty.Image(t.Context(), "ioc-x", "HEAD")
	assert.EqualError(t, err, "looking for ioc-x: the tree has no generic IOC image of that name; "+
		"commit one, or name another revision: this one has none")
	_, err = empty.Instance(t.Context(), "bl01t-a", "HEAD")
	assert.ErrorContains(t, err, "the tree has no IOC instance of that name; commit one")
}

// TestAServiceIsNoIOC: it names no generic IOC.
func TestAServiceIsNoIOC(t *testing.T) {
	ws := site(t)
	write(t, ws, "beamlines/bl01t/iocs/bl01t-web/values.yaml",
		"service: a page\nimage: docker.io/library/nginx:1@sha256:"+strings.Repeat("1", 64)+
			"\nboot: {none: it has no data}\n")
	one, err := module(ws).Instance(t.Context(), "bl01t-web", "HEAD")
	require.NoError(t, err)
	assert.Empty(t, one.Image+one.ProbePV)
}

// TestWhatIsWorkedOn: lock, generate and module-add read the working copy, and return what
// they write as a change of it.
func TestWhatIsWorkedOn(t *testing.T) {
	ws := site(t)
	_, err := module(ws).Lock(t.Context(), []string{"nosuch"})
	require.ErrorContains(t, err, "nosuch: the tree has none of that name; name one of bl01t, bl45p, epics-base")

	(&enginetest.Engine{}).Serve(t)
	changed, err := module(ws).Lock(t.Context(), []string{"bl01t"})
	require.NoError(t, err)
	assert.Equal(t, []string{"beamlines/bl01t/beamline.lock.yaml"}, changed.After.Gone, "nothing of it is locked")

	_, err = module(ws).Generate(t.Context(), "bl01t", []string{"bl01t-mo-ioc-01"}, false)
	assert.ErrorContains(t, err, "beamline bl01t has none of that name; add generate/ to an instance")
	_, err = module(ws).Generate(t.Context(), "bl99t", nil, false)
	assert.ErrorContains(t, err, "bl99t")

	add := func(url, ref, name string) error {
		_, err := module(ws).ModuleAdd(
			t.Context(), url, ref, "epics-base", name, "", "", nil, nil, nil, nil, nil, nil,
		)
		return err
	}
	assert.ErrorContains(t, add("https://example.org/axis.git", "-x", ""), `describing axis: "-x" is no git ref`)
	assert.ErrorContains(t, add("https://example.org/axis.git", "R1", "simstage"), "simstage.yaml: it is there already")
}

// TestAnEngineThatIsGone: what an engine does wrong is the error of the call.
func TestAnEngineThatIsGone(t *testing.T) {
	e := &enginetest.Engine{Answer: func(string) (any, error) {
		return nil, &sdk.ExecError{Cmd: []string{"make"}, ExitCode: 2, Stderr: "a.c:1: error: x\n"}
	}}
	e.Serve(t)
	m := module(site(t))
	_, err := m.Ioc(t.Context(), "ioc-simstage", "HEAD")
	require.Error(t, err)
	_, err = m.Ioc(t.Context(), "ioc-none", "HEAD")
	assert.ErrorContains(t, err, "looking for image ioc-none: the tree has none of that name; name one of epics-base")
}
