package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/tagline-ci/tagline"
)

// site is a git repository of the assets that tagline carries and a beamline of
// many IOCs. The same number makes the same commits, so that a second run finds
// its releases.
type site struct {
	dir  string
	line string
	iocs int
	repo *git.Repository
	when time.Time
}

func newSite(dir, line string, iocs int) (*site, error) {
	s := &site{dir: dir, line: line, iocs: iocs, when: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := os.CopyFS(dir, tagline.Assets); err != nil {
		return nil, err
	}
	var err error
	if s.repo, err = git.PlainInit(dir, false); err != nil {
		return nil, err
	}
	errs := []error{s.write(
		"beamline.yaml", "namespace: "+s.line+"\nvalues:\n  uid: 1000\n  gid: 1000\n  memory: 128Mi\n",
	)}
	for i := range iocs {
		prefix := strings.ToUpper(s.instance(i)) + ":"
		errs = append(errs,
			s.write("iocs/"+s.instance(i)+"/values.yaml",
				"image: ioc-simstage 1.0.0\nautosave: 1Mi\nprobePV: "+prefix+"HEARTBEAT\n"),
			s.write(s.startup(i), fmt.Sprintf(`dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
simstageConfig("STAGE", 5, -100, 100)
simstageKeep("/epics/autosave/stage")
dbLoadRecords "heartbeat.template", "P=%[1]s"
dbLoadRecords "simstage.template", "P=%[1]s, M=STAGE, PORT=STAGE"
iocInit
`, prefix)))
	}
	return s, errors.Join(errs...)
}

// instance returns the name of the i-th IOC: "soak-ioc-007".
func (s *site) instance(i int) string { return fmt.Sprintf("%s-ioc-%03d", s.line, i+1) }

func (s *site) startup(i int) string { return "iocs/" + s.instance(i) + "/config/st.cmd" }

// write writes a file of the beamline.
func (s *site) write(name, text string) error {
	path := filepath.Join(s.dir, "beamlines", s.line, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// change appends a comment to every third start-up script.
func (s *site) change() error {
	for i := 0; i < s.iocs; i += 3 {
		path := filepath.Join(s.dir, "beamlines", s.line, s.startup(i))
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, append(text, "# Another version.\n"...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// commit commits everything, tags that, and returns its hash.
func (s *site) commit(message string, tags ...string) (string, error) {
	work, err := s.repo.Worktree()
	if err != nil {
		return "", err
	}
	if err := work.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return "", err
	}
	s.when = s.when.Add(time.Second)
	author := &object.Signature{Name: "Fleet", Email: "fleet@example.org", When: s.when}
	hash, err := work.Commit(message, &git.CommitOptions{Author: author, Committer: author})
	if err != nil {
		return "", err
	}
	for _, tag := range tags {
		if _, err := s.repo.CreateTag(tag, hash, nil); err != nil {
			return "", err
		}
	}
	return hash.String(), nil
}
