package lockfile_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

// site returns a good tree of recipes.
func site(t testing.TB) fstest.MapFS { return faultcase.Tree(t, "../recipefile/testdata/good.txtar") }

const (
	lockFile = "generic-iocs/epics-base/image.lock.yaml"
	base     = "docker.io/library/debian:trixie-slim@sha256:97b037379843f0958ec61280d628a4256e0fe701c6e91c5ae76f2117bb75dbb0"
	commit   = "0123456789abcdef0123456789abcdef01234567"
)

// good is a lock of the root image of the good site.
func good() *lockfile.Lock {
	return &lockfile.Lock{
		Base: base,
		Modules: map[string]lockfile.Module{"epics-base": {
			Ref: "R7.0.8.1", Commit: commit, Submodules: map[string]lockfile.Commit{"modules/pvData": commit},
		}},
		Packages: lockfile.Packages{
			Build: map[string]string{
				"gdb": "16.3-1", "build-essential": "12.12", "libreadline-dev": "8.2-6", "gcc": "4:14.2.0-1",
			},
		},
	}
}

func TestLocks(t *testing.T) {
	tests := []struct {
		name   string
		change func(*lockfile.Lock)
		faults []string // of the one lock file; none when it is right
	}{
		{"right", func(*lockfile.Lock) {}, nil},
		{
			"another base image", func(l *lockfile.Lock) { l.Base = strings.Replace(base, "trixie", "bookworm", 1) },
			[]string{":2: the lock is of docker.io/library/debian:bookworm-slim@"},
		},
		{"no base image", func(l *lockfile.Lock) { l.Base = "" }, []string{
			"the lock is of no container image, and the image is built on debian:trixie-slim",
		}},
		{
			"module not locked", func(l *lockfile.Lock) { l.Modules = nil },
			[]string{"epics-base R7.0.8.1 is not locked"},
		},
		{"another ref", func(l *lockfile.Lock) {
			l.Modules["epics-base"] = lockfile.Module{Ref: "R7.0.7", Commit: commit}
		}, []string{":4: epics-base is locked at R7.0.7, and the recipe names R7.0.8.1"}},
		{"module that is not built", func(l *lockfile.Lock) {
			l.Modules["asyn"] = lockfile.Module{Ref: "R4-45", Commit: commit}
		}, []string{":4: asyn is locked, and the recipe does not build it from git"}},
		{"packages not locked", func(l *lockfile.Lock) {
			delete(l.Packages.Build, "gdb")
			delete(l.Packages.Build, "libreadline-dev")
		}, []string{"the Debian package gdb is not locked", "the Debian package libreadline-dev is not locked"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := site(t)
			lock := good()
			test.change(lock)
			text, err := lock.Text()
			require.NoError(t, err)
			files[lockFile] = &fstest.MapFile{Data: text}
			tree, err := recipefile.Read(files)
			require.NoError(t, err)
			read, err := lockfile.Read(files, tree, "epics-base")
			faults := diag.All(err)
			require.Len(t, faults, len(test.faults), "%v", err)
			for i, want := range test.faults {
				assert.Contains(t, faults[i].Error(), lockFile)
				assert.Contains(t, faults[i].Error(), want)
				assert.Contains(t, faults[i].Error(), "run: tagline lock epics-base, and commit "+lockFile)
			}
			if len(test.faults) == 0 {
				assert.Equal(t, good(), read["epics-base"])
			}
		})
	}
}

// Every image with something to pin is refused without a lock, in one go; one
// that brings nothing from outside the tree needs none.
func TestLocksMissing(t *testing.T) {
	files := site(t)
	tree, err := recipefile.Read(files)
	require.NoError(t, err)
	_, err = lockfile.Read(files, tree, "epics-base", "epics-modules", "ioc-motorsim")
	faults := diag.All(err)
	require.Len(t, faults, 2, "%v", err)
	assert.ErrorContains(
		t, faults[0],
		"generic-iocs/epics-base/image.yaml: epics-base is not locked: nothing says which content is meant by debian:trixie-slim, epics-base R7.0.8.1, build-essential, gdb, libreadline-dev; run: tagline lock epics-base",
	)
	assert.ErrorContains(t, faults[1], "asyn R4-45")
	for _, f := range faults {
		assert.Equal(t, diag.Invalid, diag.KindOf(f))
	}
	_, err = lockfile.Read(files, tree, "epics-base", "epics-base")
	assert.Len(t, diag.All(err), 1, "two images on one parent name it twice; its fault is told once")
}

func TestLockIsTheSameText(t *testing.T) {
	first, err := good().Text()
	require.NoError(t, err)
	for range 20 {
		again, err := good().Text()
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
	empty, err := (&lockfile.Lock{}).Text()
	require.NoError(t, err)
	assert.Empty(t, empty, "an image with nothing to pin has no lock file")
}

func TestDrifts(t *testing.T) {
	tree, err := recipefile.Read(site(t))
	require.NoError(t, err)
	img := tree.Images["epics-base"]
	assert.Empty(t, lockfile.Drifts(img, good(), good()))
	now := good()
	now.Base = strings.Replace(base, "97b0", "0000", 1)
	other := lockfile.Commit(strings.Repeat("a", 40))
	now.Modules["epics-base"] = lockfile.Module{Ref: "R7.0.8.1", Commit: other}
	now.Packages.Build["gdb"] = "16.4-1"
	delete(now.Packages.Build, "gcc")
	assert.Equal(t, []lockfile.Drift{
		{Image: "epics-base", Pin: "debian:trixie-slim", Locked: base, Now: now.Base},
		{Image: "epics-base", Pin: "epics-base R7.0.8.1", Locked: commit, Now: string(other)},
		{Image: "epics-base", Pin: "gcc", Locked: "4:14.2.0-1"},
		{Image: "epics-base", Pin: "gdb", Locked: "16.3-1", Now: "16.4-1"},
	}, lockfile.Drifts(img, good(), now))
}

// Whatever is in a lock file, it is taken or refused with the file and the mend.
func FuzzLocks(f *testing.F) {
	text, err := good().Text()
	require.NoError(f, err)
	f.Add(text)
	for _, hash := range []string{strings.Repeat("1", 40), strings.Repeat("0", 40), strings.Repeat("1", 37) + "e10"} {
		lock := good()
		// YAML would have it a number
		lock.Modules["epics-base"] = lockfile.Module{Ref: "R7.0.8.1", Commit: lockfile.Commit(hash)}
		text, err := lock.Text()
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("base: x\nmodules: {epics-base: {}}\n"))
	f.Add([]byte("packages: {build: {gdb: 1}, run: ~}\n"))
	files := site(f)
	tree, err := recipefile.Read(files)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		own := fstest.MapFS{lockFile: {Data: text}}
		locks, err := lockfile.Read(own, tree, "epics-base")
		for _, one := range diag.All(err) {
			var fault *diag.Error
			require.True(t, errors.As(one, &fault))
			assert.Equal(t, diag.Invalid, fault.Kind)
			assert.NotEmpty(t, fault.Fix)
			assert.Equal(t, lockFile, fault.File)
		}
		if err != nil {
			return
		}
		again, err := locks["epics-base"].Text()
		require.NoError(t, err)
		own[lockFile].Data = again
		read, err := lockfile.Read(own, tree, "epics-base")
		require.NoError(t, err, "%s", again)
		assert.Equal(t, locks, read)
	})
}

func TestResolved(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("7", 64)
	for _, test := range []struct{ named, answered, want string }{
		{"debian:13", "docker.io/library/debian:13" + digest, "docker.io/library/debian:13" + digest},
		{"ghcr.io/a/web:1", "ghcr.io/a/web:1" + digest, "ghcr.io/a/web:1" + digest},
		// The engine has pulled the same content by another name before.
		{"ghcr.io/a/web:1", "ghcr.io/b/web:1" + digest, "ghcr.io/a/web:1" + digest},
		{"ghcr.io/a/web:1" + digest, "ghcr.io/b/web:2" + digest, "ghcr.io/a/web:1" + digest},
	} {
		require.Equal(t, test.want, lockfile.Resolved(test.named, test.answered))
	}
}
