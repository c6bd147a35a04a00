package e2e

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/stretchr/testify/require"
)

// clone returns a copy of a site that a test may spoil.
func (s *site) clone(t *testing.T) *site {
	t.Helper()
	repo, err := git.PlainClone(t.TempDir(), false, &git.CloneOptions{URL: s.dir, Tags: git.NoTags})
	require.NoError(t, err)
	tree, err := repo.Worktree()
	require.NoError(t, err)
	return &site{t: t, dir: tree.Filesystem.Root(), repo: repo, line: s.line}
}

const (
	essential = "generic-iocs/essential/image.yaml"
	supports  = "generic-iocs/support/"
)

// TestBadImagesAreRefused locks or checks images that can't be built. What can
// be known before the first compiler starts is reported then.
func TestBadImagesAreRefused(t *testing.T) {
	whole, environ := newHierarchy(t)
	tests := []struct {
		name    string
		spoil   func(s *site)
		command string
		status  int
		wants   []string
		not     string // must not be said: it comes from a compiler
	}{
		{"a ref that does not exist", func(s *site) {
			s.edit(essential, "raw: R1-0", "raw: R9-9")
		}, "lock essential", 2, []string{
			essential + ":4: raw has no ref \"R9-9\"; name a tag, branch or commit of https://git.example.org/epics/raw",
		}, ""},
		{"a ref that is not locked", func(s *site) {
			s.edit(essential, "raw: R1-0", "raw: main")
		}, "check --in-tree essential/1.0.1", 2,
			[]string{"generic-iocs/essential/image.lock.yaml:", "raw", "tagline lock essential"}, "make"},
		{"a repository that is not there", func(s *site) {
			s.edit(supports+"raw.yaml", "epics/raw", "epics/rwa")
		}, "lock essential", 1, []string{
			essential + ":4: asking http", "epics/rwa for R1-0 of raw", "check the URL in " + supports + "raw.yaml",
		}, ""},
		{"a Debian package that does not exist", func(s *site) {
			s.edit(supports+"settings.yaml", "libyaml-dev", "libyamll-dev")
		}, "lock essential", 2, []string{supports + "settings.yaml:3: Debian has no package libyamll-dev"}, ""},
		{"a Debian package for running that does not exist", func(s *site) {
			s.edit(essential, "modules:", "packages: {run: [iproute3]}\nmodules:")
		}, "lock essential", 2, []string{essential + ":2: Debian has no package iproute3"}, ""},
		{"a dbd that no module provides", func(s *site) {
			s.edit(supports+"limit.yaml", "[limit.dbd]", "[limit.dbd, limits.dbd]")
		}, "check --in-tree essential/1.0.1", 2,
			[]string{supports + "limit.yaml:4: limit has built no dbd limits.dbd; correct the name; it has limit.dbd"},
			"make"},
		{"a dbd that includes what nobody has", func(s *site) {
			s.write(
				"modules/table/src/table.dbd",
				"registrar(tableRegister)\nfunction(tableRows)\ninclude \"nowhere.dbd\"\n",
			)
		}, "check --in-tree ioc-axis/1.0.1", 2,
			[]string{supports + "table.yaml:3: table.dbd of table includes nowhere.dbd", "add the module that has it"},
			"make"},
		{"a library and a file that are not built", func(s *site) {
			s.edit(supports+"table.yaml", "libs: [table]\nfiles: [data]", "libs: [tables]\nfiles: [date]")
		}, "check --in-tree ioc-axis/1.0.1", 2, []string{
			supports + "table.yaml:4: table has built no library tables",
			supports + "table.yaml:5: table has built no file date", "data",
		}, "make"},
		{"a build that fails", func(s *site) {
			s.edit("modules/limit/src/limit.c", "double most", "duoble most")
		}, "check --in-tree essential/1.0.1", 1, []string{
			essential + ":5: building limit of the tree for essential: make: exit status 2",
			"limit.c:10", "unknown type name", "duoble",
		}, "Error 2"},
		{"a target without a compiler", func(s *site) {
			s.edit("generic-iocs/epics-base/image.yaml", "modules:", "targets: [linux-aarch64, RTEMS-pc686]\nmodules:")
		}, "check epics-base/7.0.8.1r1.1", 2, []string{
			"generic-iocs/epics-base/image.yaml:5: linux-aarch64 needs the compiler /usr/bin/aarch64-linux-gnu-g++",
			"add g++-aarch64-linux-gnu to packages.build", "RTEMS-pc686 needs the tool chain of RTEMS", "RTEMS_BASE",
		}, "make"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := whole.clone(t)
			test.spoil(s)
			s.commit()
			r := runEnv(t, s.dir, environ, strings.Fields(test.command)...)
			require.Equal(t, test.status, r.status, r.err)
			for _, want := range test.wants {
				require.Contains(t, r.err, want)
			}
			if test.not != "" {
				require.NotContains(t, r.err, test.not)
			}
			require.Less(t, strings.Count(r.err, "\n"), 20, "too much to read")
		})
	}
}
