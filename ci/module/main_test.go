//go:build standin

package main

import (
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// site is a clone of this repository's own example, with a tag.
func site(t *testing.T) *dagger.Workspace {
	t.Helper()
	return siteOf(t, "bl01t/2026.11.1", "generic-iocs", "beamlines", "charts")
}

// siteOf is a clone of a repository with some folders of this one, and a tag.
func siteOf(t *testing.T, tag string, folders ...string) *dagger.Workspace {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir()) // a function's folders go with its container, which a test has none of
	dir := t.TempDir()
	for _, folder := range folders {
		require.NoError(t, os.CopyFS(filepath.Join(dir, folder), os.DirFS("../../"+folder)))
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "a site")
	git(t, dir, "tag", tag)
	return &dagger.Workspace{Dir: dir}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	as := []string{"-C", dir, "-c", "user.name=e", "-c", "user.email=e@example.org"}
	cmd := exec.CommandContext(t.Context(), "git", append(as, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// module is the module called in a site without any option.
func module(ws *dagger.Workspace) *Tagline { return New(ws, "", nil, "", nil) }

// TestUploads: functions get no more of a repository than its .git without what
// belongs to the clone, and of the working copy the recipes.
func TestUploads(t *testing.T) {
	m := module(site(t))
	assert.Equal(t, ".git", filepath.Base(m.Git.Dir))
	assert.Contains(t, m.Git.Opts[0].Exclude, "hooks")
	assert.Equal(t, []string{"tagline.yaml", "generic-iocs/**", "beamlines/**"}, m.Work.Opts[0].Include)
	assert.True(t, m.Work.Opts[0].Gitignore)
}

// TestPlan needs neither registry nor engine.
func TestPlan(t *testing.T) {
	m := module(site(t))
	p, err := m.Plan(t.Context(), "bl01t/2026.11.1")
	require.NoError(t, err)
	assert.Equal(t, "bl01t/2026.11.1 beamline", p.Tag+" "+p.Kind)
	require.NotEmpty(t, p.Steps)
	assert.Equal(t, &Step{
		"test", "IOC bl01t-mo-ioc-01", "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml: image ioc-simstage 1.0.0",
	}, p.Steps[0])
	_, err = m.Plan(t.Context(), "bl01t/2026.11.9")
	assert.Equal(t, diag.Invalid, diag.KindOf(err))
}

// TestChart shows what an instance's chart gets, at HEAD and at a tag.
func TestChart(t *testing.T) {
	m := module(site(t))
	at := func(rev string) *Chart {
		c, err := m.Chart(t.Context(), "bl01t", "bl01t-mo-ioc-01", rev)
		require.NoError(t, err)
		return c
	}
	c := at("bl01t/2026.11.1")
	assert.Equal(t, "bl01t-mo-ioc-01 bl01t 2026.11.1", c.Instance+" "+c.Namespace+" "+c.Version)
	assert.Contains(t, c.Manifests, `helm.sh/chart: "bl01t-mo-ioc-01-2026.11.1"`)
	const file = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml"
	assert.Equal(t, &Value{"image", "ioc-simstage 1.0.0", file, 2}, c.Values[0])
	assert.Contains(t, c.Values, &Value{Key: "graceSeconds", Text: "30"})
	assert.Equal(t, "0.0.0", at("HEAD").Version)
	assert.Greater(t, len(at("HEAD").Notes), len(c.Notes))
	_, err := m.Chart(t.Context(), "bl01t", "bl01t-mo-ioc-09", "HEAD")
	assert.ErrorContains(t, err, "the instances here are bl01t-mo-ioc-01, bl01t-mo-ioc-02")
	_, err = m.Chart(t.Context(), "BL01T", "bl01t-mo-ioc-01", "HEAD")
	assert.Equal(t, diag.Invalid, diag.KindOf(err))
}

// TestBrowse lists what the tree has, and names it where another name was given.
func TestBrowse(t *testing.T) {
	m := module(site(t))
	images, err := m.Images(t.Context(), "HEAD")
	require.NoError(t, err)
	require.Len(t, images, 3)
	assert.Equal(t, "ioc-simstage from epics-base 7.0.8.1r1.0", images[2].Name+" from "+images[2].From)
	lines, err := m.Beamlines(t.Context(), "HEAD")
	require.NoError(t, err)
	require.Len(t, lines, 2)
	instances, err := m.Instances(t.Context(), "HEAD")
	require.NoError(t, err)
	assert.Equal(t, slices.Concat(lines[0].Instances, lines[1].Instances), instances)
	one, err := m.Instance(t.Context(), "bl01t-mo-ioc-02", "HEAD")
	require.NoError(t, err)
	assert.Equal(t, "bl01t ioc-simstage 1.0.0", one.Beamline+" "+one.Image)
	_, err = m.Instance(t.Context(), "bl01t-mo-ioc-09", "HEAD")
	assert.ErrorContains(t, err, "name one of bl01t-mo-ioc-01, bl01t-mo-ioc-02, bl45p-ea-ioc-01")
	_, err = m.Image(t.Context(), "ioc-none", "HEAD")
	assert.ErrorContains(t, err, "name one of epics-base, ioc-simcamera, ioc-simstage")
}

// TestTagCheck reads a tag that need not exist.
func TestTagCheck(t *testing.T) {
	m := module(site(t))
	tag, err := m.TagCheck(t.Context(), "bl01t/2026.11.2", "HEAD")
	require.NoError(t, err)
	assert.Equal(t, &Tag{Asset: "bl01t", Version: "2026.11.2", Kind: "beamline", OciTag: "2026.11.2"}, tag)
	_, err = m.TagCheck(t.Context(), "bl01t/2026.11.02", "HEAD")
	assert.ErrorContains(t, err, "2026.11.2")
}

// TestTagOfAFormerAsset: a tag that is there is read where it is, as the command does.
func TestTagOfAFormerAsset(t *testing.T) {
	ws := site(t)
	git(t, ws.Dir, "mv", "beamlines/bl01t", "beamlines/bl02t")
	git(t, ws.Dir, "commit", "-q", "-m", "another name")
	tag, err := module(ws).TagCheck(t.Context(), "bl01t/2026.11.1", "")
	require.NoError(t, err)
	assert.Equal(t, "beamline", tag.Kind)
	_, err = module(ws).TagCheck(t.Context(), "bl01t/2026.11.2", "")
	assert.ErrorContains(t, err, "no asset bl01t in this tree")
}

// TestABareVersion: a repository of one asset has tags without its name, in Verify and Diff
// as in the command.
func TestABareVersion(t *testing.T) {
	ws := site(t)
	git(t, ws.Dir, "rm", "-q", "-r", "beamlines/bl45p", "generic-iocs", "charts")
	git(t, ws.Dir, "commit", "-q", "-m", "one beamline")
	git(t, ws.Dir, "tag", "2026.11.2")
	key, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	require.NotEmpty(t, key)
	m := New(ws, registrytest.Serve(t, nil), nil, "", nil)
	_, err = m.Verify(t.Context(), "2026.11.2", []*dagger.File{{Text: string(public)}}, nil, "", nil, nil)
	assert.ErrorContains(t, err, "bl01t 2026.11.2: no such release")
	_, err = m.Diff(t.Context(), "2026.11.2", "2026.11.2")
	assert.ErrorContains(t, err, "bl01t 2026.11.2: no such release")
}

// TestTree reports every fault of the commit, and none of what is not committed.
func TestTree(t *testing.T) {
	ws := site(t)
	values := filepath.Join(ws.Dir, "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml")
	text, err := os.ReadFile(values)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(values, append(text, "probePVs: x\n"...), 0o644))
	before := module(ws).Tree(t.Context())
	git(t, ws.Dir, "commit", "-q", "-a", "-m", "a fault")
	after := module(ws).Tree(t.Context())
	assert.ErrorContains(t, after, "bl01t-mo-ioc-01/values.yaml")
	if before != nil {
		assert.NotContains(t, before.Error(), "probePVs")
	}
}

// TestNoRegistry: what needs releases says so before anything is built.
func TestNoRegistry(t *testing.T) {
	m := module(site(t))
	for name, call := range map[string]func() error{
		"release": func() error {
			_, err := m.Release(t.Context(), "bl01t/2026.11.1", nil, nil, "", nil, nil, nil, false)
			return err
		},
		"diff":    func() error { _, err := m.Diff(t.Context(), "bl01t/2026.11.1", "bl01t/2026.11.1"); return err },
		"promote": func() error { _, err := m.Promote(t.Context(), "bl01t", "2026.11.1", nil, ""); return err },
		"instance": func() error {
			i, err := m.Instance(t.Context(), "bl01t-mo-ioc-01", "HEAD")
			require.NoError(t, err)
			_, err = i.Container(t.Context(), false)
			return err
		},
	} {
		assert.ErrorIs(t, call(), errNoRegistry, name)
	}
}

// TestLogin: a user without a password is refused, and no password is shown.
func TestLogin(t *testing.T) {
	_, err := New(site(t), "registry.example.org/site", nil, "ajp", nil).registry(t.Context())
	assert.ErrorContains(t, err, "give both --username and --password")
	login := &dagger.Secret{Text: "s3cret"}
	_, err = New(site(t), "http://registry.example.org", nil, "ajp", login).registry(t.Context())
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cret")
}

// TestNamesThatClientsCanHave: the client that Dagger generates for a repository
// that installs the module has a field for each of ours, in lower case. One called
// "type" made code that does not compile.
func TestNamesThatClientsCanHave(t *testing.T) {
	for _, of := range []any{
		Artifact{}, Beamline{}, Chart{}, Image{}, Instance{}, Plan{}, Promotion{}, Release{}, Report{},
		Step{}, Tag{}, Tagline{}, Test{}, Value{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			assert.False(t, token.IsKeyword(strings.ToLower(f.Name)), "%T.%s", of, f.Name)
		}
	}
}

// TestWorktree: what has no .git folder of its own is told what to do.
func TestWorktree(t *testing.T) {
	_, err := module(&dagger.Workspace{Dir: t.TempDir()}).Plan(t.Context(), "bl01t/2026.11.1")
	assert.ErrorContains(t, err, "call dagger in a clone")
}

// TestLock: the files of a lock are a change of the recipes, and a lock of
// nothing is a file that goes.
func TestLock(t *testing.T) {
	dir := written(&dagger.Directory{}, map[string][]byte{
		"generic-iocs/a/image.lock.yaml": []byte("base: x\n"), "generic-iocs/b/image.lock.yaml": nil,
	})
	assert.Equal(t, map[string]string{"generic-iocs/a/image.lock.yaml": "base: x\n"}, dir.New)
	assert.Equal(t, []string{"generic-iocs/b/image.lock.yaml"}, dir.Gone)
}

// TestGenerate: a config folder that was made takes the place of the one there is.
func TestGenerate(t *testing.T) {
	const folder = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config"
	made := dag.LoadDirectoryFromID("made")
	dir := replaced(&dagger.Directory{New: map[string]string{folder + "/old.db": "x"}}, folder, made)
	assert.Equal(t, []string{folder}, dir.Gone)
	assert.Equal(t, map[string]string{folder: "made"}, dir.New)
}

// TestModuleAdd: the file of a support module is added to the working copy.
func TestModuleAdd(t *testing.T) {
	dir := written(&dagger.Directory{}, map[string]string{"generic-iocs/support/asyn.yaml": "macro: ASYN\n"})
	assert.Equal(t, map[string]string{"generic-iocs/support/asyn.yaml": "macro: ASYN\n"}, dir.New)
}

// TestService: a client reaches both servers of an IOC, and waits for Channel Access alone.
func TestService(t *testing.T) {
	service := asService(&dagger.Container{})
	assert.Equal(t, []int{5064, 5075}, service.Of.Ports)
	assert.Equal(t, []int{5075}, service.Of.Unchecked)
	assert.True(t, service.Entrypoint, "it is ioc-run that starts the IOC")
}
