package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/index"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/shelf"
)

// upstream is where the recipes of the tests say that sources are.
const upstream = "https://git.example.org/"

// inGit are the support modules of testdata that have a repository of their
// own, those that others have as a submodule first. The others are in a
// site's tree.
var inGit = []string{"fir", "scale", "raw", "axis", "mean"}

// newHierarchy returns a site with three images, of which two are not in this
// repository: essential on epics-base, and ioc-axis on that. The environment
// makes commands fetch from where the sources are served.
func newHierarchy(t *testing.T) (s *site, environ []string) {
	t.Helper()
	s = newSite(t, "bl91t")
	s.copy("testdata/site", "")
	for _, module := range []string{"limit", "table", "settings", "crash"} {
		s.copy("testdata/modules/common", "modules/"+module)
		s.copy("testdata/modules/"+module, "modules/"+module)
	}
	environ = []string{mirrors(t)}
	s.lock(environ, "essential", "ioc-axis")
	return s, environ
}

// lock pins what the named images take, and commits.
func (s *site) lock(environ []string, images ...string) {
	s.t.Helper()
	r := runEnv(s.t, s.dir, environ, append([]string{"lock"}, images...)...)
	require.Equal(s.t, 0, r.status, r.err)
	s.commit()
}

// copy copies a folder of files to a place in the site.
func (s *site) copy(from, to string) {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(filepath.Join(s.dir, to), 0o755))
	copyFolder(s.t, from, filepath.Join(s.dir, to))
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	}))
}

// mirrors makes the repositories of the test's modules, serves them, and returns
// the variable that makes Tagline fetch from there.
func mirrors(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	commits := map[string]plumbing.Hash{}
	for _, name := range inGit {
		commits[name] = repository(t, filepath.Join(dir, "epics", name+".git"), name, commits)
	}
	handler, err := shelf.MirrorHandler(dir)
	require.NoError(t, err)
	at := listen(t)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go server.Serve(at)
	t.Cleanup(func() { server.Close() })
	pairs := []string{fmt.Sprintf("%s=http://%s/", upstream, at.Addr())}
	for from, to := range env.Mirrors {
		pairs = append(pairs, from+"="+to)
	}
	return "TAGLINE_MIRRORS=" + strings.Join(pairs, ",")
}

// listen opens a port that the engine's containers reach: the same one each
// time, if it is free, so that what was fetched is not fetched again.
func listen(t *testing.T) net.Listener {
	t.Helper()
	host, _, err := net.SplitHostPort(env.Registry)
	require.NoError(t, err)
	l, err := net.Listen("tcp", net.JoinHostPort(host, "5081"))
	if err != nil {
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	require.NoError(t, err)
	return l
}

// repository makes the bare repository of a module, with its tag R1-0 and its
// branch main at one commit that is the same each time.
func repository(t *testing.T, bare, name string, commits map[string]plumbing.Hash) plumbing.Hash {
	t.Helper()
	work := t.TempDir()
	if name != "fir" {
		copyFolder(t, "testdata/modules/common", work)
	}
	copyFolder(t, "testdata/modules/"+name, work)
	store := filesystem.NewStorage(osfs.New(bare), cache.NewObjectLRUDefault())
	repo, err := git.InitWithOptions(store, osfs.New(work), git.InitOptions{DefaultBranch: "refs/heads/main"})
	require.NoError(t, err)
	tree, err := repo.Worktree()
	require.NoError(t, err)
	if name == "mean" {
		text := "[submodule \"vendor/fir\"]\n\tpath = vendor/fir\n\turl = ../fir.git\n"
		require.NoError(t, os.WriteFile(filepath.Join(work, ".gitmodules"), []byte(text), 0o644))
	}
	require.NoError(t, tree.AddWithOptions(&git.AddOptions{All: true}))
	if name == "mean" {
		files, err := store.Index()
		require.NoError(t, err)
		files.Entries = append(files.Entries, &index.Entry{
			Name: "vendor/fir", Mode: filemode.Submodule, Hash: commits["fir"],
		})
		require.NoError(t, store.SetIndex(files))
	}
	who := &object.Signature{Name: "Support Developer", Email: "support@example.org", When: time.Unix(1700000000, 0)}
	commit, err := tree.Commit("Release "+name, &git.CommitOptions{Author: who, Committer: who})
	require.NoError(t, err)
	_, err = repo.CreateTag("R1-0", commit, nil)
	require.NoError(t, err)
	return commit
}
