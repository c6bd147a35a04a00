package source

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

const (
	base   = "debian@sha256:ab"
	pinned = "d86a7c6efd80e4bd3b2bbc0ce4b7b2a4ff52b8fb"
)

// motor is a module at a commit, so that nothing but the engine is asked.
func motor(submodules ...string) Wanted {
	return Wanted{
		Image: &recipe.Image{Name: "ioc-a", File: "generic-iocs/ioc-a/image.yaml"},
		Ref:   recipe.ModuleRef{Name: "motor", Ref: pinned, Line: 3},
		Module: &recipe.Module{
			Name: "motor", File: "generic-iocs/support/motor.yaml", Git: "https://github.com/epics-modules/motor",
			Submodules: submodules,
		},
	}
}

// fetcher is a fetcher of a site that mirrors github.com, with logins of three hosts.
func fetcher(t *testing.T, e *enginetest.Engine) Fetcher {
	logins, err := ReadLogins("machine mirror.example.org login ada password p1\n" +
		"machine gitlab.example.org login ada password p2\nmachine github.com login ada password p3\n")
	require.NoError(t, err)
	mirrors, err := ParseMirrors([]string{
		"https://github.com/=https://mirror.example.org/", "https://bitbucket.org/=https://other.example.org/",
	})
	require.NoError(t, err)
	return Fetcher{Client: e.Client(), Files: fstest.MapFS{}, Mirrors: mirrors, Logins: logins, Base: base}
}

// commands returns the git commands of a question in their order, and where a login is
// mounted, "netrc: " and its hosts.
func commands(question string) (all []string) {
	for part := range strings.SplitSeq(question, `).`) {
		switch {
		case strings.HasPrefix(part, "withMountedSecret"):
			hosts := []string{}
			for _, entry := range strings.Split(part, "machine ")[1:] {
				host, _, _ := strings.Cut(entry, " ")
				hosts = append(hosts, host)
			}
			all = append(all, "netrc: "+strings.Join(hosts, " "))
		case strings.HasPrefix(part, `withExec(args:["git"`):
			words := strings.Split(strings.Trim(strings.TrimPrefix(part, `withExec(args:[`), `)]`), `","`)
			all = append(all, strings.Trim(strings.Join(words[1:], " "), `"`))
		case strings.HasPrefix(part, "withExec") && strings.Contains(part, "git ls-files"):
			_, rest, _ := strings.Cut(part, `","sh","`)
			words := strings.Split(strings.Trim(rest, `)]"`), `","`)
			all = append(all, "submodule.sh "+strings.Join(words, " "))
		}
	}
	return all
}

const (
	quiet    = "-c advice.detachedHead=false "
	mirrored = quiet + "-c url.https://mirror.example.org/.insteadOf=https://github.com/ "
)

// checkedOut are the commands that check a module out: through the mirrors of its own host
// alone, as its cache keys would change with every other.
var checkedOut = []string{
	mirrored + "init --quiet .", mirrored + "remote add origin https://github.com/epics-modules/motor",
	"netrc: mirror.example.org",
	mirrored + "fetch --quiet --depth=1 origin " + pinned, mirrored + "checkout --quiet FETCH_HEAD",
}

// A module is fetched at its commit, in git's own image, with the login of the host that it
// is fetched from and no other: not that of the public host behind the mirror.
func TestAModuleIsFetchedAtItsCommit(t *testing.T) {
	e := &enginetest.Engine{}
	dir, err := fetcher(t, e).Fetch(t.Context(), motor().Module, pinned)
	require.NoError(t, err)
	require.Empty(t, e.Asked(), "it is fetched when it is built")
	_, err = dir.Digest(t.Context())
	require.NoError(t, err)
	require.Len(t, e.Asked(), 1)
	asked := e.Asked()[0]
	require.Equal(t, checkedOut, commands(asked))
	require.True(t, strings.HasPrefix(asked, `container.from(address:"`+base+`")`), asked)
	require.Contains(t, asked, `.withWorkdir(path:"/src")`)
	require.True(t, strings.HasSuffix(asked, `.directory(path:"/src").withoutDirectory(path:".git").digest`), asked)
	require.Equal(t, 1, strings.Count(asked, "p1"), "the password is in the secret alone")
	require.NotContains(t, asked, "p2")
	require.NotContains(t, asked, "p3")
}

// The wanted submodules are fetched one by one after the module, through the mirrors of
// their hosts, and with their hosts' logins: those that .gitmodules names.
func TestSubmodulesAreFetchedFromTheirHosts(t *testing.T) {
	e := &enginetest.Engine{Answer: func(question string) (any, error) {
		switch {
		case strings.Contains(question, "cat .gitmodules") && strings.HasSuffix(question, ".stdout"):
			return "[submodule \"vendor\"]\n\tpath = vendor\n\turl = https://gitlab.example.org/vendor\n" +
				"[submodule \"rel\"]\n\tpath = rel\n\turl = ../rel\n" +
				"[submodule \"bit\"]\n\tpath = bit\n\turl = https://bitbucket.org/a/bit\n", nil
		case strings.HasSuffix(question, ".stdout"):
			return " " + pinned + " vendor (R1-0)\n-" + pinned + " unwanted\n", nil
		}
		return nil, nil
	}}
	locked, err := fetcher(t, e).Lock(t.Context(), motor("vendor", "rel"))
	require.NoError(t, err)
	require.Equal(t, lockfile.Module{
		Ref: pinned, Commit: pinned, Submodules: map[string]lockfile.Commit{"vendor": pinned},
	}, locked)
	all := quiet + "-c url.https://other.example.org/.insteadOf=https://bitbucket.org/ " +
		"-c url.https://mirror.example.org/.insteadOf=https://github.com/ "
	asked := e.Asked()
	require.Len(t, asked, 2)
	require.Equal(t, checkedOut, commands(asked[0]))
	require.Equal(t, append(checkedOut,
		"netrc: mirror.example.org gitlab.example.org",
		"submodule.sh vendor git "+all+"submodule update --init --recursive --depth=1 -- vendor",
		"submodule.sh rel git "+all+"submodule update --init --recursive --depth=1 -- rel",
		"submodule status --recursive",
	), commands(asked[1]))
}

// A module of the tree is its folder, and no git is asked.
func TestAModuleOfTheTreeIsNotFetched(t *testing.T) {
	e := &enginetest.Engine{}
	f := fetcher(t, e)
	f.Files = fstest.MapFS{"stage/Makefile": {Data: []byte("TOP = .\n")}}
	dir, err := f.Fetch(t.Context(), &recipe.Module{Name: "stage", Folder: "stage"}, "")
	require.NoError(t, err)
	_, err = dir.Digest(t.Context())
	require.NoError(t, err)
	require.Equal(
		t, []string{`directory.withNewFile(contents:"TOP = .\n", path:"Makefile", permissions:420).digest`}, e.Asked(),
	)
}

// What can't be fetched names the image, the line and what to do: about git, or about the
// engine.
func TestWhatCantBeFetched(t *testing.T) {
	const begin = "generic-iocs/ioc-a/image.yaml:3: fetching motor " + pinned + " for ioc-a: "
	for name, c := range map[string]struct {
		submodules []string
		at         string // the question that fails has this in it
		answer     any
		fault      error
		says       string
	}{
		"no such commit": {
			at: "submodule",
			fault: &dagger.ExecError{
				Cmd: []string{"git", "fetch"}, ExitCode: 128, Stderr: "fatal: remote error: upload-pack: not our ref",
			},
			says: begin + "git fetch: exit status 128; check the URL in generic-iocs/support/motor.yaml, or name a " +
				"mirror with --mirror\n  fatal: remote error: upload-pack: not our ref",
		},
		"no engine": {
			at: "submodule", fault: errors.New("connection refused"),
			says: begin + "connection refused; " +
				"see that the engine runs and has space left on its disk, then run it again",
		},
		"no .gitmodules to be read": {
			submodules: []string{"vendor"}, at: "cat .gitmodules", fault: errors.New("connection refused"),
			says: begin + "connection refused; " +
				"see that the engine runs and has space left on its disk, then run it again",
		},
		"a .gitmodules of something else": {
			submodules: []string{"vendor"}, at: "cat .gitmodules", answer: "[submodule\n",
			says: "generic-iocs/support/motor.yaml: reading .gitmodules of https://github.com/epics-modules/motor at " +
				"commit " + pinned + ": line 1:11: expected subsection name or right bracket; name a ref of it " +
				"where that file is right, or remove submodules where none is needed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := &enginetest.Engine{Answer: func(question string) (any, error) {
				if strings.Contains(question, c.at) && strings.HasSuffix(question, ".stdout") {
					return c.answer, c.fault
				}
				return nil, nil
			}}
			_, err := fetcher(t, e).Lock(t.Context(), motor(c.submodules...))
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Broken, diag.KindOf(err))
			require.NotContains(t, err.Error(), "p1")
		})
	}
}
