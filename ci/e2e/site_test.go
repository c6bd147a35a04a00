package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// site is a clone of this repository that a test edits, commits and tags, with
// a beamline of its own.
type site struct {
	t    *testing.T
	dir  string
	repo *git.Repository
	line string // its beamline: bl01t under another name, so that PVs differ too
}

// lockedClone clones this repository, pins what its recipes name here, and
// commits that, with a time of its own commit: another run makes the same one.
func lockedClone(dir string) error {
	repo, err := git.PlainClone(dir, false, &git.CloneOptions{URL: root, Tags: git.NoTags})
	if err != nil {
		return err
	}
	lock := exec.Command(tagline, "lock", "-C", dir)
	lock.Stderr = os.Stderr
	if err := lock.Run(); err != nil {
		return err
	}
	tree, err := repo.Worktree()
	if err != nil {
		return err
	}
	if err := tree.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return err
	}
	head, err := repo.Head()
	if err != nil {
		return err
	}
	last, err := repo.CommitObject(head.Hash())
	if err != nil {
		return err
	}
	who := &object.Signature{
		Name: "Controls Engineer", Email: "controls@example.org", When: last.Committer.When.Add(time.Second),
	}
	_, err = tree.Commit("Lock what the recipes name", &git.CommitOptions{Author: who, Committer: who})
	return err
}

// newSite clones the locked clone and renames the test beamline.
func newSite(t *testing.T, line string) *site {
	t.Helper()
	repo, err := git.PlainClone(t.TempDir(), false, &git.CloneOptions{URL: locked, Tags: git.NoTags})
	require.NoError(t, err)
	tree, err := repo.Worktree()
	require.NoError(t, err)
	s := &site{t: t, dir: tree.Filesystem.Root(), repo: repo, line: line}
	s.tag("epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0")
	from := filepath.Join(s.dir, "beamlines", "bl01t")
	swap := strings.NewReplacer("bl01t", line, "BL01T", strings.ToUpper(line))
	require.NoError(t, filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.write(swap.Replace(strings.TrimPrefix(path, s.dir+"/")), swap.Replace(string(text)))
		return nil
	}))
	s.commit()
	return s
}

// instance returns the path of a file of the n-th instance.
func (s *site) instance(n, file string) string {
	return filepath.Join("beamlines", s.line, "iocs", s.line+"-mo-ioc-"+n, file)
}

func (s *site) write(file, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, file)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o644))
}

// edit replaces text in a file, which must be there.
func (s *site) edit(file, old, now string) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	require.NoError(s.t, err)
	require.True(s.t, bytes.Contains(text, []byte(old)), "%s has no %q", file, old)
	s.write(file, strings.Replace(string(text), old, now, 1))
}

// commit commits everything, then tags.
func (s *site) commit(tags ...string) {
	s.t.Helper()
	tree, err := s.repo.Worktree()
	require.NoError(s.t, err)
	require.NoError(s.t, tree.AddWithOptions(&git.AddOptions{All: true}))
	who := &object.Signature{Name: "Controls Engineer", Email: "controls@example.org", When: time.Unix(1700000000, 0)}
	_, err = tree.Commit("Change the site", &git.CommitOptions{Author: who, Committer: who, AllowEmptyCommits: true})
	require.NoError(s.t, err)
	s.tag(tags...)
}

// tag tags HEAD.
func (s *site) tag(tags ...string) {
	s.t.Helper()
	head, err := s.repo.Head()
	require.NoError(s.t, err)
	for _, tag := range tags {
		_, err := s.repo.CreateTag(tag, head.Hash(), nil)
		require.NoError(s.t, err)
	}
}

// registry is where this commit's releases go: the same for all tests, so that
// images are released once.
func registry(t *testing.T) string {
	t.Helper()
	repo, err := git.PlainOpen(locked)
	require.NoError(t, err)
	head, err := repo.Head()
	require.NoError(t, err)
	return env.Registry + "/e2e/" + head.Hash().String()[:12]
}

// ownRegistry is where the releases of one run of a test go: those of a former
// run are signed with keys that this one does not trust.
func ownRegistry() string { return env.Registry + "/own/" + strings.ToLower(rand.Text()) }

// images releases the two images that every beamline here runs on.
func (s *site) images(registry string) {
	s.t.Helper()
	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0"} {
		ok(s.t, s.dir, "release", tag, "--registry", registry)
	}
}

// remove takes a test's beamline off the cluster: its IOCs would go on serving.
func remove(t *testing.T, namespace string) { require.NoError(t, removed(t, namespace)) }

// removed does the same for one that may not be there, which is the error then.
func removed(t *testing.T, namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", env.Kubeconfig)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	return client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{})
}
