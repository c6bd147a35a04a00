package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// repository is one of the demonstration: of one asset, as a site has it.
type repository struct {
	tag     string   // its first: "ioc-simstage/1.0.0"
	kind    []string // what tagline init is told of it
	carried []string // what takes the place of the asset that tagline init writes
}

// ownRoot is the repository of EPICS Base, which tagline init writes whole.
func ownRoot() repository { return repository{demoBase, []string{"site"}, nil} }

// ownIOC is the repository of a generic IOC with a support module.
func ownIOC(tag, module string) repository {
	r := repository{tag: tag}
	r.kind = []string{"ioc", r.name(), "--from", pin(demoBase)}
	r.carried = []string{
		"generic-iocs/.gitignore", "generic-iocs/" + r.name(), "generic-iocs/support/" + module + ".yaml",
	}
	return r
}

// ownBeamline is the repository of a beamline.
func ownBeamline(name string) repository {
	return repository{
		name + "/" + demoFirst, []string{"beamline", name, "--image", pin(demoIOC)}, []string{"beamlines/" + name},
	}
}

// pin returns a tag as it is named in files.
func pin(tag string) string { return strings.Replace(tag, "/", " ", 1) }

// name returns the asset, after which the repository is called.
func (r repository) name() string {
	name, _, _ := strings.Cut(r.tag, "/")
	return name
}

// place finds where the demonstration's repositories and releases are: a release never
// changes and its name has one owner, so that each program has places of its own.
func (d *demo) place() error {
	s, err := d.state()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.Open(self)
	if err != nil {
		return err
	}
	defer program.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return err
	}
	e := d.up()
	key := strings.TrimPrefix(inputs.Of(sum.Sum(nil), e.Registry, e.Git).Short(), "sha256:")
	d.registry = e.Registry + "/demo/" + key
	d.served = e.Git + "demo/" + key + "/"
	d.bare = filepath.Join(s.Mirrors(), "demo", key)
	d.work = s.Path("demo", key)
	d.at = d.work
	return os.MkdirAll(d.work, 0o755)
}

// begin makes a repository with its first tag, and pushes both; then it stands in it.
// One whose first tag was released is taken as it is.
func (d *demo) begin(ctx context.Context, r repository) error {
	there, err := d.clone(ctx, r)
	if err != nil || there {
		return err
	}
	if err := d.write(ctx, r); err != nil {
		return err
	}
	// What this machine's base image and mirrors hold is pinned here: elsewhere the
	// same names stand for other content.
	if err := d.tagline(ctx, "lock"); err != nil {
		return err
	}
	return d.push(ctx, r.tag, "Begin "+r.name(), ".")
}

// clone clones a repository from the server and reports whether its first tag is there.
// One that was not released is made anew, empty: a killed run left it half done, or
// its locks are of another day.
func (d *demo) clone(ctx context.Context, r repository) (there bool, err error) {
	dir, bare := filepath.Join(d.work, r.name()), filepath.Join(d.bare, r.name()+".git")
	released, err := d.released(ctx, r.tag)
	if err != nil {
		return false, err
	}
	there = released && has(bare, r.tag)
	if there && has(dir, r.tag) {
		d.at = dir
		return true, nil
	}
	d.at = d.work
	if !there {
		if err := os.RemoveAll(bare); err != nil {
			return false, err
		}
		if err := d.git(ctx, "init", "--quiet", "--bare", "--initial-branch", "main", bare); err != nil {
			return false, err
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return false, err
	}
	// Nobody pushes over HTTP to this machine's server.
	err = d.git(ctx, "clone", "--quiet", "--config", "remote.origin.pushurl="+bare, d.served+r.name())
	d.at = dir
	return there, err
}

// released reports whether a tag was released.
func (d *demo) released(ctx context.Context, tag string) (bool, error) {
	t, err := asset.ParseTag(tag)
	if err != nil {
		return false, err
	}
	reg, err := d.openRegistry(ctx, &site{registry: d.registry})
	if err != nil {
		return false, err
	}
	_, _, err = reg.Record(ctx, t.Asset, t.Version)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// has reports whether a repository has a tag.
func has(dir, tag string) bool {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return false
	}
	_, err = repo.Tag(tag)
	return err == nil
}

// write writes the files of a repository: those of tagline init, with the asset that
// tagline carries.
func (d *demo) write(ctx context.Context, r repository) error {
	words := append([]string{"init"}, r.kind...)
	if err := d.tagline(ctx, append(words, "--registry", d.registry)...); err != nil {
		return err
	}
	if len(r.carried) == 0 {
		return nil
	}
	return d.step("put the "+r.name()+" that tagline carries in its place", func() error {
		made, err := scaffold.Repository{Version: thisBuild().ref()}.Carried(r.carried...)
		if err != nil {
			return err
		}
		for _, name := range r.carried {
			if err := os.RemoveAll(filepath.Join(d.at, name)); err != nil {
				return err
			}
		}
		return made.Write(d.at)
	})
}

// change appends a comment to a file, commits, tags and pushes that, unless the tag is
// there already.
func (d *demo) change(ctx context.Context, r repository, file, tag string) error {
	if has(filepath.Join(d.bare, r.name()+".git"), tag) {
		return nil
	}
	if has(d.at, tag) { // a killed run did not come to push it
		return d.git(ctx, "push", "--atomic", "origin", "main", tag)
	}
	const comment = "# A comment is a change too."
	err := d.step("echo '"+comment+"' >> "+file, func() error {
		path := filepath.Join(d.at, file)
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, append(content, comment+"\n"...), 0o644)
	})
	if err != nil {
		return err
	}
	return d.push(ctx, tag, "Change a start-up script", file)
}

// push commits files, tags the commit and pushes both.
func (d *demo) push(ctx context.Context, tag, message, files string) error {
	for _, words := range [][]string{
		{"add", files},
		{"commit", "--quiet", "--message", message},
		{"tag", tag},
		{"push", "--atomic", "origin", "main", tag},
	} {
		if err := d.git(ctx, words...); err != nil {
			return err
		}
	}
	return nil
}

// release releases a tag as a runner of CI does: in a fresh clone of what was pushed.
func (d *demo) release(ctx context.Context, r repository, tag string) error {
	home, runner := d.at, filepath.Join(d.work, "runner")
	if err := os.RemoveAll(runner); err != nil {
		return err
	}
	d.at = d.work
	if err := d.git(ctx, "clone", "--quiet", d.served+r.name(), "runner"); err != nil {
		return err
	}
	d.at = runner
	if err := d.tagline(ctx, "release", tag); err != nil {
		return err
	}
	d.at = home
	return os.RemoveAll(runner)
}

// git runs git as a person would, and shows it. It reads no configuration of this
// machine, and says who commits and when: the same files are the same commit.
func (d *demo) git(ctx context.Context, words ...string) error {
	const who, when = "Controls Engineer", "2026-11-01T00:00:00Z"
	const address = "controls@example.org"
	return d.step(shellLine("git", words), func() error {
		cmd := exec.CommandContext(ctx, "git", words...)
		cmd.Dir = d.at
		cmd.Env = []string{
			"PATH=" + d.env("PATH"), "HOME=" + d.work, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=" + who, "GIT_AUTHOR_EMAIL=" + address, "GIT_AUTHOR_DATE=" + when,
			"GIT_COMMITTER_NAME=" + who, "GIT_COMMITTER_EMAIL=" + address, "GIT_COMMITTER_DATE=" + when,
		}
		out := &indented{w: d.Err}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return &diag.Error{
				Kind: diag.Broken, Doing: "running git " + words[0], Asset: d.at, Err: err,
				Fix: "see what git says above; to begin the demonstration anew, remove " + d.work,
			}
		}
		return nil
	})
}

// shellLine returns a command line as a person types it.
func shellLine(program string, words []string) string {
	line := program
	for _, w := range words {
		if strings.Contains(w, " ") {
			w = "'" + w + "'"
		}
		line += " " + w
	}
	return line
}
