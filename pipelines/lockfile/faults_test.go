package lockfile_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

const (
	bl       = "beamlines/bl01t/beamline.yaml"
	blLock   = "beamlines/bl01t/beamline.lock.yaml"
	values   = "beamlines/bl01t/iocs/bl01t-ea-py-01/values.yaml"
	lockBl   = "; run: tagline lock bl01t, and commit " + blLock
	lockBase = "; run: tagline lock epics-base, and commit " + lockFile
)

var sevens = "@sha256:" + strings.Repeat("7", 64)

// Each image that a service names is locked, as that image and no other; nothing else is.
func TestFaultsOfLockedImages(t *testing.T) {
	const py = "ghcr.io/some-org/pyioc:1.2.3"
	const unlocked = values + ":2: " + py + " is not locked: nothing says which content is meant by it" + lockBl
	const python = "images:\n  python:3: "
	some := []string{"python:3"}
	for name, c := range map[string]struct {
		text  string   // of the lock file; "-" for none
		named []string // in values.yaml, the first in line 2
		want  []string
	}{
		"none":                   {"-", nil, nil},
		"no lock file":           {"-", []string{py}, []string{unlocked}},
		"one that is not locked": {"images: {}\n", []string{py}, []string{unlocked}},
		"locked":                 {"images:\n  " + py + ": " + py + sevens + "\n", []string{py}, nil},
		"named twice":            {"images:\n  " + py + ": " + py + sevens + "\n", []string{py, py}, nil},
		"spelled in full":        {python + "docker.io/library/python:3" + sevens + "\n", some, nil},
		"at the index":           {python + "index.docker.io/library/python:3" + sevens + "\n", some, nil},
		"one that nobody names": {
			"images:\n  " + py + ": " + py + sevens + "\n", nil,
			[]string{blLock + ":2: " + py + " is locked, and no service names it" + lockBl},
		},
		"another tag": {
			"images:\n  " + py + ": ghcr.io/some-org/pyioc:1.2.4" + sevens + "\n", []string{py},
			[]string{blLock + ":2: " + py + " is locked as ghcr.io/some-org/pyioc:1.2.4" + sevens +
				", which is another image" + lockBl},
		},
		"another host": {
			"images:\n  python:3: quay.io/library/python:3" + sevens + "\n", []string{"python:3"},
			[]string{blLock + ":2: python:3 is locked as quay.io/library/python:3" + sevens +
				", which is another image" + lockBl},
		},
		"no digest": {
			"images:\n  " + py + ": " + py + "\n", []string{py},
			[]string{blLock + ":2: images." + py + `: "` + py + `" is not a legal container image by digest; ` +
				"write it as in ghcr.io/some-org/pyioc:1.2.3@sha256:" +
				"97b037379843f0958ec61280d628a4256e0fe701c6e91c5ae76f2117bb75dbb0"},
		},
		"locked twice": {
			"images:\n  " + py + ": " + py + sevens + "\n  " + py + ": " + py + sevens + "\n", []string{py},
			[]string{blLock + `:3: key "` + py + `" is already on line 2; keep one of the two`},
		},
		"no images": {"# nothing\n", nil, []string{blLock + ":1: the file is empty; write its keys, or remove it"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{blLock: {Data: []byte(c.text)}}
			if c.text == "-" {
				files = fstest.MapFS{}
			}
			var named []lockfile.Named
			for i, image := range c.named {
				named = append(named, lockfile.Named{Image: image, File: values, Line: 2 + i})
			}
			locked, err := lockfile.ReadImages(files, bl, named)
			all := diag.All(err)
			require.Len(t, all, len(c.want), err)
			for i, want := range c.want {
				assert.EqualError(t, all[i], want)
				assert.Equal(t, diag.Invalid, diag.KindOf(all[i]))
			}
			if err == nil {
				for _, n := range c.named {
					assert.True(t, strings.HasSuffix(locked[n], sevens), n)
				}
			}
		})
	}
}

// unreadable has a file that can't be read.
type unreadable struct {
	fs.FS
	name string
}

func (u unreadable) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("disk on fire")}
	}
	return u.FS.Open(name)
}

// A lock file that can't be read is not one that there is none of.
func TestALockThatCanNotBeRead(t *testing.T) {
	files := site(t)
	tree, err := recipefile.Read(files)
	require.NoError(t, err)
	_, err = lockfile.Read(unreadable{files, lockFile}, tree, "epics-base")
	require.EqualError(t, err,
		lockFile+": it can't be read: open "+lockFile+": disk on fire; replace it by a file")
	_, err = lockfile.ReadImages(unreadable{files, blLock}, bl, nil)
	require.EqualError(t, err, blLock+": it can't be read: open "+blLock+": disk on fire; replace it by a file")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

// Each way in which a lock is not that of the recipe has a sentence with its line.
func TestFaultsOfALock(t *testing.T) {
	const at = "generic-iocs/epics-base/image.lock.yaml"
	modules := "modules:\n  epics-base: {ref: R7.0.8.1, commit: " + commit + "}\n"
	packages := "packages:\n  build: {gdb: '1', build-essential: '1', libreadline-dev: '1'}\n"
	run := "  run: {procps: '1'}\n"
	for name, c := range map[string]struct{ text, want string }{
		"right": {"base: " + base + "\n" + modules + packages + run, ""},
		"run with the developer": {
			"base: " + base + "\n" + modules + strings.Replace(packages, "}", ", procps: '2'}", 1), "",
		},
		"no base": {
			modules + packages + run,
			at + ":1: the lock is of no container image, and the image is built on debian:trixie-slim" + lockBase,
		},
		"another base": {
			"base: quay.io/debian:trixie-slim" + sevens + "\n" + modules + packages + run,
			at + ":1: the lock is of quay.io/debian:trixie-slim" + sevens +
				", and the image is built on debian:trixie-slim" + lockBase,
		},
		"no modules": {
			"base: " + base + "\n" + packages + run,
			at + ":1: epics-base R7.0.8.1 is not locked" + lockBase,
		},
		"another ref": {
			"base: " + base + "\nmodules:\n  epics-base: {ref: R7.0.8, commit: " + commit + "}\n" + packages + run,
			at + ":3: epics-base is locked at R7.0.8, and the recipe names R7.0.8.1" + lockBase,
		},
		"a module too many": {
			"base: " + base + "\n" + modules + "  asyn: {ref: R4-45, commit: " + commit + "}\n" + packages + run,
			at + ":4: asyn is locked, and the recipe does not build it from git" + lockBase,
		},
		"a package too few": {
			"base: " + base + "\n" + modules + "packages:\n  build: {gdb: '1', build-essential: '1'}\n" + run,
			at + ":5: the Debian package libreadline-dev is not locked" + lockBase,
		},
		"a package of no version": {
			"base: " + base + "\n" + modules + packages + "  run: {procps: ''}\n",
			at + ":6: the Debian package procps is not locked" + lockBase,
		},
		"a package of the run for the build": {
			"base: " + base + "\n" + modules +
				"packages:\n  build: {gdb: '1', build-essential: '1'}\n  run: {procps: '1', libreadline-dev: '1'}\n",
			at + ":5: the Debian package libreadline-dev is not locked" + lockBase,
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := site(t)
			files[lockFile] = &fstest.MapFile{Data: []byte(c.text)}
			tree, err := recipefile.Read(files)
			require.NoError(t, err)
			tree.Images["epics-base"].Run = []string{"procps"}
			_, err = lockfile.Read(files, tree, "epics-base")
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
		})
	}
}

// Of an image that is built on another one, the lock has no base.
func TestTheLockOfAnImageThatIsNoRoot(t *testing.T) {
	files := site(t)
	tree, err := recipefile.Read(files)
	require.NoError(t, err)
	const at = "generic-iocs/ioc-simstage/image.lock.yaml"
	files[at] = &fstest.MapFile{Data: []byte("packages:\n  run: {procps: '1'}\n")}
	locks, err := lockfile.Read(files, tree, "ioc-simstage")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"procps": "1"}, locks["ioc-simstage"].Packages.Run)
	files[at].Data = []byte("packages:\n  run: {procps: '1'}\nbase: " + base + "\n")
	_, err = lockfile.Read(files, tree, "ioc-simstage")
	require.EqualError(t, err, at+":3: the lock is of "+base+", and the image is built on epics-base 7.0.8.1r1.0; "+
		"run: tagline lock ioc-simstage, and commit "+at)
	delete(files, at)
	_, err = lockfile.Read(files, tree, "ioc-simstage")
	require.ErrorContains(t, err, "nothing says which content is meant by procps; run: tagline lock ioc-simstage")
}

// Submodules and the runtime's packages drift too; the submodules of another commit are
// others anyhow.
func TestDriftsOfSubmodulesAndRun(t *testing.T) {
	img := &recipe.Image{Name: "ioc-a"}
	module := func(commit string, subs ...string) lockfile.Module {
		m := lockfile.Module{Ref: "R1", Commit: lockfile.Commit(commit), Submodules: map[string]lockfile.Commit{}}
		for _, sub := range subs {
			name, at, _ := strings.Cut(sub, "@")
			m.Submodules[name] = lockfile.Commit(at)
		}
		return m
	}
	was := &lockfile.Lock{
		Modules: map[string]lockfile.Module{
			"same": module("a", "x@1", "gone@2", "kept@3"), "moved": module("a", "x@1"), "left": module("a"),
		},
		Packages: lockfile.Packages{Run: map[string]string{"procps": "1", "gone": "2"}},
	}
	now := &lockfile.Lock{
		Modules: map[string]lockfile.Module{
			"same": module("a", "x@9", "new@4", "kept@3"), "moved": module("b", "x@9"), "added": module("c", "x@1"),
		},
		Packages: lockfile.Packages{Run: map[string]string{"procps": "3", "new": "4"}},
	}
	require.Equal(t, []lockfile.Drift{
		{"ioc-a", "added R1", "", "c"},
		{"ioc-a", "left ", "a", ""},
		{"ioc-a", "moved R1", "a", "b"},
		{"ioc-a", "same gone", "2", ""},
		{"ioc-a", "same new", "", "4"},
		{"ioc-a", "same x", "1", "9"},
		{"ioc-a", "gone", "2", ""},
		{"ioc-a", "new", "", "4"},
		{"ioc-a", "procps", "1", "3"},
	}, lockfile.Drifts(img, was, now))
}

// FuzzReadImages: whatever is in a beamline's lock file, it is taken as what is written
// again, or refused in one line with the file and the fix.
func FuzzReadImages(f *testing.F) {
	f.Add("python:3", []byte("images:\n  python:3: docker.io/library/python:3"+sevens+"\n"))
	f.Add("a:1", []byte("images: {\"a:1\": a:2"+sevens+"}\r\n"))
	f.Fuzz(func(t *testing.T, image string, text []byte) {
		files := fstest.MapFS{blLock: {Data: text}}
		named := []lockfile.Named{{Image: image, File: values, Line: 2}}
		locked, err := lockfile.ReadImages(files, bl, named)
		for _, one := range diag.All(err) {
			var fault *diag.Error
			require.ErrorAs(t, one, &fault)
			assert.Equal(t, diag.Invalid, fault.Kind)
			assert.Contains(t, []string{blLock, values}, fault.File)
			assert.NotEmpty(t, fault.Fix)
			if fault.File == blLock {
				assert.Equal(t, -1, strings.IndexFunc(fault.Error(), unicode.IsControl), "%q", fault)
			}
		}
		if err != nil {
			return
		}
		require.Len(t, locked, 1)
		_, err = asset.ParseRef(locked[image])
		require.NoError(t, err, "what is locked is an address")
		again, err := lockfile.ImagesText(locked)
		require.NoError(t, err)
		files[blLock].Data = again
		read, err := lockfile.ReadImages(files, bl, named)
		require.NoError(t, err, "%s", again)
		require.Equal(t, locked, read)
	})
}
