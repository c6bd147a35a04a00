package manifests

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// deployed is a bare repository with a branch main, and git's own server before it.
type deployed struct {
	*testing.T
	git    *git.Repository
	url    string
	before func() // happens before the next push arrives
}

func newDeployed(t *testing.T, files map[string]string) *deployed {
	home, root := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	author := "[user]\n\tname = Ada\n\temail = ada@example.org\n"
	require.NoError(t, os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(author), 0o600))
	bare, err := git.PlainInitWithOptions(filepath.Join(root, "clusters.git"), &git.PlainInitOptions{
		Bare: true, InitOptions: git.InitOptions{DefaultBranch: "refs/heads/main"},
	})
	require.NoError(t, err)
	settings, err := bare.Config()
	require.NoError(t, err)
	settings.Raw.Section("http").SetOption("receivepack", "true")
	require.NoError(t, bare.SetConfig(settings))
	exec, err := exec.Command("git", "--exec-path").Output()
	require.NoError(t, err)
	r := &deployed{T: t, git: bare}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(exec)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if before := r.before; before != nil && req.URL.Query().Get("service") == "git-receive-pack" {
			r.before = nil
			before()
		}
		backend.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/clusters.git"
	if files != nil {
		r.add(files)
	}
	return r
}

// add commits files to main, as somebody else who pushes.
func (r *deployed) add(files map[string]string) {
	store := r.git.Storer
	entries := []object.TreeEntry{}
	var parents []plumbing.Hash
	if head, err := r.git.Head(); err == nil {
		parents = append(parents, head.Hash())
		c, err := r.git.CommitObject(head.Hash())
		require.NoError(r, err)
		tree, err := c.Tree()
		require.NoError(r, err)
		entries = append(entries, tree.Entries...)
	}
	save := func(o interface {
		Encode(plumbing.EncodedObject) error
	},
	) plumbing.Hash {
		e := store.NewEncodedObject()
		require.NoError(r, o.Encode(e))
		h, err := store.SetEncodedObject(e)
		require.NoError(r, err)
		return h
	}
	for name, text := range files {
		e := store.NewEncodedObject()
		e.SetType(plumbing.BlobObject)
		w, err := e.Writer()
		require.NoError(r, err)
		_, err = w.Write([]byte(text))
		require.NoError(r, err)
		h, err := store.SetEncodedObject(e)
		require.NoError(r, err)
		entry := object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: h}
		if strings.HasPrefix(text, "../") {
			entry.Mode = filemode.Symlink
		}
		entries = append(entries, entry)
	}
	sort.Sort(object.TreeEntrySorter(entries))
	tree := save(&object.Tree{Entries: entries})
	who := object.Signature{Name: "Bob", Email: "bob@example.org"}
	commit := save(&object.Commit{Author: who, Committer: who, Message: "ours", TreeHash: tree, ParentHashes: parents})
	require.NoError(r, store.SetReference(plumbing.NewHashReference("refs/heads/main", commit)))
}

// files returns what a branch holds, by path, and the messages of its commits, newest first.
func (r *deployed) files(branch string) (files map[string]string, messages []string) {
	at, err := r.git.Reference(plumbing.NewBranchReferenceName(branch), true)
	require.NoError(r, err)
	c, err := r.git.CommitObject(at.Hash())
	require.NoError(r, err)
	tree, err := c.Tree()
	require.NoError(r, err)
	files = map[string]string{}
	require.NoError(r, tree.Files().ForEach(func(f *object.File) error {
		files[f.Name], err = f.Contents()
		return err
	}))
	commits, err := r.git.Log(&git.LogOptions{From: at.Hash()})
	require.NoError(r, err)
	require.NoError(r, commits.ForEach(func(c *object.Commit) error {
		messages = append(messages, c.Author.Name+": "+strings.Split(c.Message, "\n")[0])
		return nil
	}))
	return files, messages
}

// render commits a release to a folder of the remote.
func (s *site) render(version string, b Branch) (*Change, string, error) {
	set, err := s.read(version)
	require.NoError(s, err)
	return set.Commit(s.Context(), b)
}

// TestABranchIsDelivered: one commit for what changed, none where nothing did, beside
// what others push at the same time.
func TestABranchIsDelivered(t *testing.T) {
	s, r := newSite(t), newDeployed(t, map[string]string{"README.md": "ours\n"})
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-b"))
	s.release("2026.11.2", true, plain("bl01t-b"))
	b := Branch{URL: r.url, Folder: "clusters/bl01t"}
	done, commit, err := s.render("2026.11.1", b)
	require.NoError(t, err)
	require.Equal(t, []string{"bl01t-a.yaml", "bl01t-b.yaml", "kustomization.yaml"}, done.Written)
	head, err := r.git.Head()
	require.NoError(t, err)
	require.Equal(t, head.Hash().String(), commit)

	b.Name = "main"
	_, commit, err = s.render("2026.11.1", b)
	require.NoError(t, err)
	require.Empty(t, commit, "nothing differs")

	r.before = func() { r.add(map[string]string{"theirs.md": "pushed meanwhile\n"}) }
	done, _, err = s.render("2026.11.2", b)
	require.NoError(t, err)
	require.Nil(t, r.before, "it was asked for")
	require.Equal(t, []string{"bl01t-a.yaml"}, done.Removed)
	files, messages := r.files("main")
	require.Equal(t, []string{
		"Ada: Deliver bl01t 2026.11.2", "Bob: ours", "Ada: Deliver bl01t 2026.11.1", "Bob: ours",
	}, messages)
	set, err := s.read("2026.11.2")
	require.NoError(t, err)
	want := map[string]string{"README.md": "ours\n", "theirs.md": "pushed meanwhile\n"}
	for _, f := range set.Files {
		want["clusters/bl01t/"+f.Name] = f.Text
	}
	require.Equal(t, want, files)
}

// TestABranchThatCannotBeDelivered: nothing is pushed, and the error says what to do.
func TestABranchThatCannotBeDelivered(t *testing.T) {
	s, r := newSite(t), newDeployed(t, map[string]string{
		"kustomization.yaml": "resources: []\n", "elsewhere": "../../../../tmp",
	})
	s.release("2026.11.1", true, plain("bl01t-a"))
	empty := newDeployed(t, nil)
	for says, b := range map[string]Branch{
		`"../x" is no folder of the repository`:    {URL: r.url, Folder: "../x"},
		"elsewhere/bl01t is no folder there":       {URL: r.url, Folder: "elsewhere/bl01t"},
		"it has no branch deploy; make the branch": {URL: r.url, Folder: "bl01t", Name: "deploy"},
		"it has no branch main":                    {URL: empty.url, Folder: "bl01t", Name: "main"},
		"a folder is in the way":                   {URL: r.url, Folder: "."},
		"see that git can do it there":             {URL: r.url + "/nosuch", Folder: "bl01t"},
	} {
		_, _, err := s.render("2026.11.1", b)
		if says == "a folder is in the way" {
			says = "tagline render did not write it from bl01t"
		}
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, os.Remove(filepath.Join(os.Getenv("HOME"), ".gitconfig")))
	_, _, err := s.render("2026.11.1", Branch{URL: r.url, Folder: "bl01t"})
	require.ErrorContains(t, err, "git config --global user.name and user.email; nothing was pushed")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, messages := r.files("main")
	require.Equal(t, []string{"Bob: ours"}, messages)

	// Somebody who always is faster wins.
	require.NoError(t, os.WriteFile(filepath.Join(os.Getenv("HOME"), ".gitconfig"),
		[]byte("[user]\n\tname = Ada\n\temail = ada@example.org\n"), 0o600))
	var faster func()
	n := 0
	faster = func() {
		n++
		r.add(map[string]string{"theirs" + strings.Repeat("x", n): "faster\n"})
		r.before = faster
	}
	r.before = faster
	_, _, err = s.render("2026.11.1", Branch{URL: r.url, Folder: "bl01t"})
	require.ErrorContains(t, err, "non-fast-forward")
	require.Equal(t, diag.Broken, diag.KindOf(err))
	require.Equal(t, 3, n)
}
