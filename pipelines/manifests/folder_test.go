package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// files returns what a folder holds, by name.
func files(t *testing.T, folder string) map[string]string {
	there, err := os.ReadDir(folder)
	require.NoError(t, err)
	all := map[string]string{}
	for _, entry := range there {
		if entry.IsDir() {
			all[entry.Name()] = "folder"
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		require.NoError(t, err)
		all[entry.Name()] = string(text)
	}
	return all
}

// write renders a release into a folder.
func (s *site) write(version, folder string) (*Change, error) {
	set, err := s.read(version)
	require.NoError(s, err)
	return set.Write(folder)
}

// TestKustomizeReadsTheFolder: with the library that kubectl, Argo CD and Flux have.
func TestKustomizeReadsTheFolder(t *testing.T) {
	s, folder := newSite(t), filepath.Join(t.TempDir(), "clusters", "bl01t")
	release := own("apiVersion: batch/v1\nkind: Job\nmetadata: {name: own, annotations: {helm.sh/hook: pre-install}}\n" +
		"spec: {template: {spec: {restartPolicy: Never, containers: [{name: x, image: \"{{ .Values.image }}\"}]}}}\n" +
		"---\n# nothing\n")
	for file, text := range plain("bl01t-b") {
		release[file] = text
	}
	s.release("2026.11.1", true, release)
	_, err := s.write("2026.11.1", folder)
	require.NoError(t, err)

	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	require.NoError(t, err)
	kinds, kept := map[string]int{}, 0
	for _, o := range objects.Resources() {
		kinds[o.GetKind()]++
		require.Equal(t, "p45", o.GetNamespace(), o.GetName())
		notes := o.GetAnnotations()
		if notes["helm.sh/resource-policy"] == "keep" {
			require.Equal(t, "disabled", notes["kustomize.toolkit.fluxcd.io/prune"])
			kept++
		}
		if o.GetKind() == "Job" {
			require.Equal(t, "pre-install", notes["helm.sh/hook"])
		}
		text, err := o.AsYAML()
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if _, image, ok := strings.Cut(line, "image: "); ok {
				require.Equal(t, string(s.image.Pinned()), strings.TrimSpace(image))
			}
		}
	}
	require.Equal(t, map[string]int{"ConfigMap": 2, "Deployment": 2, "PersistentVolumeClaim": 2, "Job": 1}, kinds)
	require.Equal(t, 2, kept)
}

// TestAFolderIsBroughtUpToDate: what was rendered is replaced, an instance that left is
// removed, and everything else stays.
func TestAFolderIsBroughtUpToDate(t *testing.T) {
	s, folder := newSite(t), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "README.md"), []byte("ours\n"), 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "alerts"), 0o755))
	other := "# Written by tagline render from bl02t 1, record sha256:" + strings.Repeat("ab", 32) + "; do not edit\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "bl02t-a.yaml"), []byte(other), 0o644))
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-b"))
	s.release("2026.11.2", true, plain("bl01t-b", "bl01t-c"))

	done, err := s.write("2026.11.1", folder)
	require.NoError(t, err)
	require.Equal(t, []string{"bl01t-a.yaml", "bl01t-b.yaml", "kustomization.yaml"}, done.Written)
	before := files(t, folder)
	done, err = s.write("2026.11.1", folder)
	require.NoError(t, err)
	require.Equal(t, &Change{Written: []string{}, Removed: []string{}}, done)
	require.Equal(t, before, files(t, folder))

	// A killed run leaves what it was about to write, and somebody edits a file after all.
	require.NoError(t, os.WriteFile(filepath.Join(folder, partial), []byte("half"), 0o644))
	edited := before["bl01t-b.yaml"] + "# edited\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "bl01t-b.yaml"), []byte(edited), 0o644))
	done, err = s.write("2026.11.2", folder)
	require.NoError(t, err)
	require.Equal(t, &Change{
		Written: []string{"bl01t-b.yaml", "bl01t-c.yaml", "kustomization.yaml"}, Removed: []string{"bl01t-a.yaml"},
	}, done)
	set, err := s.read("2026.11.2")
	require.NoError(t, err)
	want := map[string]string{"README.md": "ours\n", "alerts": "folder", "bl02t-a.yaml": other}
	for _, f := range set.Files {
		want[f.Name] = f.Text
	}
	require.Equal(t, want, files(t, folder))
}

// TestAForeignFileIsLeftAlone: nothing is changed while one is in the way.
func TestAForeignFileIsLeftAlone(t *testing.T) {
	s := newSite(t)
	s.release("2026.11.1", true, plain("bl01t-a", "bl01t-gone"))
	s.release("2026.11.2", true, plain("bl01t-a", "bl01t-b"))
	other := "# Written by tagline render from bl02t 1, record sha256:" + strings.Repeat("ab", 32) + "; do not edit\n"
	put := func(name, text string) func(string) error {
		return func(folder string) error { return os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644) }
	}
	for file, foreign := range map[string]func(string) error{
		"bl01t-b.yaml":       put("bl01t-b.yaml", "kind: ConfigMap\n"),
		"kustomization.yaml": put("kustomization.yaml", other),
		"kustomization.yml":  put("kustomization.yml", "resources: []\n"),
		"bl01t-b.yaml: ": func(folder string) error {
			return os.Mkdir(filepath.Join(folder, "bl01t-b.yaml"), 0o755)
		},
		"bl01t-a.yaml": func(folder string) error {
			file := filepath.Join(folder, "bl01t-a.yaml")
			if err := os.Rename(file, filepath.Join(folder, "elsewhere")); err != nil {
				return err
			}
			return os.Symlink("elsewhere", file)
		},
	} {
		folder := t.TempDir()
		_, err := s.write("2026.11.1", folder)
		require.NoError(t, err)
		require.NoError(t, foreign(folder))
		before := files(t, folder)
		_, err = s.write("2026.11.2", folder)
		require.ErrorContains(t, err, file)
		require.ErrorContains(t, err, "nothing was changed")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
		require.Equal(t, before, files(t, folder))
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := s.write("2026.11.1", file)
	require.ErrorContains(t, err, "can't be read as a folder")
}
