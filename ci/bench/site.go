package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// The images that are measured: the root, and a generic IOC of modules that
// are copies of the tree's own under other names.
const (
	root = "epics-base"
	last = "ioc-bench"
)

// modules are the support modules in the order of a linear Dockerfile, with
// what each needs. leaf is one that nothing needs, in the middle.
var modules = []struct {
	Name  string
	Needs []string
}{
	{"stagea", nil}, {"stageb", []string{"stagea"}}, {"stagec", []string{"stagea"}}, {"staged", nil},
	{"stagee", nil}, {"stagef", []string{"stageb", "stagec"}}, {"stageg", []string{"stagef"}}, {"stageh", nil},
}

const leaf = "staged"

// site is a git repository made for one run, of this repository's recipes.
type site struct {
	dir  string
	repo *git.Repository
}

// How the generic IOC is started and asked.
const (
	smoke = `smoke:
  config: smoke
  checks:
    - {pv: "SIM:IOC:HEARTBEAT", advances: true}
`
	startup = `dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
dbLoadRecords "heartbeat.template", "P=SIM:IOC:"
iocInit
`
)

// make writes the site.
func (s *site) make() (err error) {
	if s.repo, err = git.PlainInit(s.dir, false); err != nil {
		return err
	}
	for _, file := range []string{"generic-iocs/support/epics-base.yaml", "generic-iocs/epics-base/image.yaml"} {
		if err := s.copy(file, file, strings.NewReplacer()); err != nil {
			return err
		}
	}
	recipe := "from: epics-base 1.0.0\nmodules:\n"
	names := []string{}
	for _, m := range modules {
		if err := s.module(m.Name, m.Needs); err != nil {
			return err
		}
		recipe += "  " + m.Name + ": tree\n"
		names = append(names, m.Name)
	}
	recipe += "ioc:\n  modules: [" + strings.Join(names, ", ") + "]\n" + smoke
	if err := s.write("generic-iocs/"+last+"/image.yaml", recipe); err != nil {
		return err
	}
	return s.write("generic-iocs/"+last+"/smoke/st.cmd", startup)
}

// module copies the tree's module under another name, its symbols too.
func (s *site) module(name string, needs []string) error {
	const from = "generic-iocs/ioc-simstage/simstage"
	title := strings.ToUpper(name[:1]) + name[1:]
	rename := strings.NewReplacer("simstage", name, "Simstage", title, "SIMSTAGE", strings.ToUpper(name),
		"simMotion", name+"Motion")
	err := filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return s.copy(file, filepath.Join("modules", name, rename.Replace(strings.TrimPrefix(file, from))), rename)
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("folder: modules/%[1]s\nmacro: %[2]s\ndbds: [%[1]s.dbd]\nlibs: [%[1]s]\n",
		name, strings.ToUpper(name))
	if len(needs) > 0 {
		text += "needs: [" + strings.Join(needs, ", ") + "]\n"
	}
	return s.write("generic-iocs/support/"+name+".yaml", text)
}

// root builds the hierarchy on a container image.
func (s *site) root(image string) error {
	const file = "generic-iocs/" + root + "/image.yaml"
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "from: ") {
			lines[i] = "from: " + image
		}
	}
	return s.write(file, strings.Join(lines, "\n"))
}

// changeLeaf changes one line of the leaf and commits it.
func (s *site) changeLeaf() error {
	file := leafSource
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return err
	}
	more := "\nstatic const int changed = 1;\nint " + leaf + "Changed(void) { return changed; }\n"
	if err := s.write(file, string(text)+more); err != nil {
		return err
	}
	return s.commit("Change a leaf")
}

const leafSource = "modules/" + leaf + "/" + leaf + "App/src/" + leaf + "Motion.c"

func (s *site) copy(from, to string, rename *strings.Replacer) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return s.write(to, rename.Replace(string(text)))
}

func (s *site) write(file, text string) error {
	path := filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func (s *site) commit(message string) error {
	work, err := s.repo.Worktree()
	if err != nil {
		return err
	}
	if err := work.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return err
	}
	author := &object.Signature{Name: "Bench", Email: "bench@example.org", When: time.Now()}
	_, err = work.Commit(message, &git.CommitOptions{Author: author, Committer: author})
	return err
}
