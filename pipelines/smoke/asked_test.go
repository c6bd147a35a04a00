package smoke

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// answers is what an engine answers by what a question has in it: the first that is found.
type answers [][2]any // text, and what is answered

func (a answers) engine() *enginetest.Engine {
	return &enginetest.Engine{Answer: func(question string) (any, error) {
		for _, one := range a {
			if strings.Contains(question, one[0].(string)) {
				if err, ok := one[1].(error); ok {
					return nil, err
				}
				return one[1], nil
			}
		}
		return nil, nil
	}}
}

var (
	entrypoint = [2]any{".entrypoint", []string{layout.Run, "/epics/ioc/ioc"}}
	errGone    = errors.New("no session")
)

// printed is what boots.sh prints of IOC a.
func printed(logs ...string) string {
	all := ""
	for n, log := range logs {
		all += fmt.Sprintf("@log %d\n%s", n+1, log)
	}
	return "@ran 1700000000\na " + base64.StdEncoding.EncodeToString([]byte(all)) + "\n"
}

// tried returns IOC a on an engine, as it is tested.
func tried(client *dagger.Client) Subject {
	return Subject{
		Name: "a", Folder: "a/config", File: "a/values.yaml", User: "1:2", Digest: "sha256:1",
		Runtime: client.Container().From("ioc"), Clients: client.Container().From("developer"),
		Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
	}
}

// What a record will name is what the engine runs, and what watches an IOC is in its image:
// both are known before anything is booted.
func TestWhatIsNotBooted(t *testing.T) {
	for name, c := range map[string]struct {
		answers answers
		faults  string // of the test
		says    string // the error
	}{
		"another image": {
			answers{{".imageRef", "ioc@sha256:2"}}, "",
			"starting a: checking that sha256:1 is what is tested: the engine runs ioc@sha256:2",
		},
		"an image that can't be pulled": {
			answers{{".imageRef", errGone}}, "", "starting a: checking that sha256:1 is what is tested: no session",
		},
		"no entrypoint": {
			answers{{".imageRef", "ioc@sha256:1"}, {".entrypoint", errGone}}, "",
			"reading the entrypoint of a: no session",
		},
		"an image without ioc-run": {
			answers{{".imageRef", "ioc@sha256:1"}, {".entrypoint", []string{"/epics/ioc/ioc"}}},
			"a/values.yaml: the image of a has no ioc-run, which watches an IOC in its pod; " +
				"release the generic IOC again and name that version", "",
		},
		"no labels": {
			answers{{".imageRef", "ioc@sha256:1"}, entrypoint, {".label(", errGone}}, "",
			"reading the labels of the image of a: no session",
		},
		"a label of something else": {
			answers{{".imageRef", "ioc@sha256:1"}, entrypoint, {".label(", "yes"}}, "",
			"reading the label tagline.startup of the image of a: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.answers.engine()
			test, err := Tester{Client: e.Client()}.Run(t.Context(), tried(e.Client()))
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
			} else {
				require.NoError(t, err)
				require.Equal(t, []string{c.faults}, test.Faults)
				require.False(t, test.Passed)
			}
			require.NotContains(t, strings.Join(e.Asked(), "\n"), "stdout", "nothing was run")
		})
	}
}

// A boot that nobody was told of has not passed.
func TestABootThatIsNotToldOf(t *testing.T) {
	for name, c := range map[string]struct {
		out  any
		says string
	}{
		"nothing at all":    {"@ran 1700000000\n", "booting a: boot.sh told of 0 of 2 boots"},
		"one of two":        {printed(goodEnd), "booting a: boot.sh told of 1 of 2 boots"},
		"no text":           {"@ran 1700000000\na !\n", "booting a: reading what boots.sh printed of a: "},
		"another time":      {"@ran noon\n", "booting a: reading when boots.sh ran: "},
		"an engine's fault": {errGone, "booting a: no session"},
		"a script's fault": {
			&dagger.ExecError{Cmd: []string{"sh", "-c", "a\nb"}, ExitCode: 123, Stderr: "mount: not found"},
			"booting a: sh -c …: exit status 123\n  mount: not found",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := answers{{".imageRef", "ioc@sha256:1"}, entrypoint, {".stdout", c.out}}.engine()
			s := tried(e.Client())
			s.Autosave = true
			_, err := Tester{Client: e.Client()}.Run(t.Context(), s)
			require.ErrorContains(t, err, c.says)
		})
	}
	e := answers{{".imageRef", "ioc@sha256:1"}, entrypoint, {".stdout", printed(goodEnd, goodEnd)}}.engine()
	s := tried(e.Client())
	s.Autosave = true
	test, err := Tester{Client: e.Client()}.Run(t.Context(), s)
	require.NoError(t, err)
	require.True(t, test.Passed, test.Faults)
}

// An IOC is booted in its own image, by root, who takes the network away; with a volume where
// it has one, its own config folder, and the simulators that stand beside it. A test of
// a release is of this moment.
func TestWhatABootIs(t *testing.T) {
	boot := func(tester Tester, change func(*Subject, *dagger.Client)) string {
		e := answers{{".imageRef", "ioc@sha256:1"}, entrypoint, {".stdout", printed(goodEnd, goodEnd)}}.engine()
		s := tried(e.Client())
		change(&s, e.Client())
		tester.Client = e.Client()
		_, err := tester.Run(t.Context(), s)
		require.NoError(t, err)
		asked := e.Asked()
		return asked[len(asked)-1]
	}
	plain := boot(Tester{}, func(*Subject, *dagger.Client) {})
	require.True(t, strings.HasPrefix(plain, `container.from(address:"ioc").withUser(name:"root")`), plain)
	require.True(t, strings.HasSuffix(plain, `.withExec(args:["sh","-c","exec /smoke/boots.sh \"$@\"","sh","`+
		layout.Run+`","/epics/ioc/ioc","st.cmd"], insecureRootCapabilities:true).stdout`), plain)
	require.Contains(t, plain, `withEnvVariable(name:"TAGLINE_RUN"`)
	for _, folder := range []string{layout.Autosave, "/smoke/own/", "/smoke/beside/"} {
		require.NotContains(t, plain, `path:"`+folder)
	}

	known := boot(Tester{Known: true}, func(*Subject, *dagger.Client) {})
	require.NotContains(t, known, "TAGLINE_RUN", "or no cache could answer")

	whole := boot(Tester{}, func(s *Subject, client *dagger.Client) {
		s.Restart, s.Own = true, client.Container().From("own")
		s.Beside = []Simulator{
			{Root: client.Directory(), Command: []string{"./sim", "it's"}},
			{Root: client.Container().From("sim").Rootfs(), Image: true, Command: []string{"/sim"}},
		}
	})
	require.Contains(t, whole, `.withMountedTemp(path:"`+layout.Autosave+`")`)
	require.Contains(t, whole, `.withMountedDirectory(path:"/smoke/own/a", `+
		`source:‹container.from(address:"own").directory(path:"`+layout.Config+`")›)`)
	require.Contains(t, whole, `withNewFile(contents:"cd /smoke/files/0 && exec setpriv --reuid 65534 --regid 65534 `+
		`--clear-groups --bounding-set=-all './sim' 'it'\\''s'\n", path:"/smoke/beside/0.sh")`)
	require.Contains(t, whole, `exec chroot --userspec=65534:65534 /smoke/files/1 '/sim'\n", `+
		`path:"/smoke/beside/1.sh")`)
	require.Contains(t, whole, `.withMountedDirectory(path:"/smoke/files/1", `+
		`source:‹container.from(address:"sim").rootfs›)`)
}

// What a developer starts by hand is what the pod runs: the config folder that is mounted or
// in the image, somewhere to write only where the pod has it, and its user.
func TestTheContainerOfAnIOC(t *testing.T) {
	e := &enginetest.Engine{}
	s := tried(e.Client())
	s.Env = map[string]string{"SITE": "x"}
	_, err := Tester{Client: e.Client()}.Container(s).Stdout(t.Context())
	require.NoError(t, err)
	s.Own, s.Autosave = e.Client().Container().From("own"), true
	_, err = Tester{Client: e.Client()}.Container(s).Stdout(t.Context())
	require.NoError(t, err)
	asked := e.Asked()
	mounted := `.withMountedDirectory(path:"` + layout.Config + `", `
	require.True(t, strings.HasPrefix(asked[0], `container.from(address:"ioc")`+mounted), asked[0])
	require.Contains(t, asked[0], `.withMountedTemp(path:"/tmp").withEnvVariable(`)
	require.Contains(t, asked[0], `.withEnvVariable(name:"SITE", value:"x")`)
	require.True(t, strings.HasSuffix(asked[0], `.withUser(name:"1:2").stdout`), asked[0])
	require.True(t, strings.HasPrefix(asked[1], `container.from(address:"own").withMountedTemp(path:"/tmp")`+
		`.withMountedTemp(path:"`+layout.Autosave+`").withEnvVariable(`), asked[1])
}

// traced is what strace says of an IOC that opens two files.
const traced = "7 execve(\"/epics/ioc/ioc\", [\"/epics/ioc/ioc\"], 0x7f /* 9 vars */) = 0\n" +
	"7 openat(AT_FDCWD, \"/usr/lib/liba.so\", O_RDONLY|O_CLOEXEC) = 3\n" +
	"7 openat(AT_FDCWD, \"/usr/share/odd\", O_RDONLY|O_CLOEXEC) = 3\n"

// The runtime image must have what the IOC opens in the developer image: a file that it
// lacks is named with the package it is of. Where that can't be found out, nothing passed.
func TestWhatARuntimeImageLacks(t *testing.T) {
	const (
		trace  = `from(address:"developer")`
		absent = `container.from(address:"ioc").withExec(args:["sh","-c"`
		owners = `container.from(address:"developer").withExec(args:["sh","-c"`
	)
	lacks := "a/values.yaml: a opens /usr/lib/liba.so of the Debian package liba1, which is not in the runtime " +
		"image; add liba1 to packages.run"
	for name, c := range map[string]struct {
		answers answers
		faults  []string
		says    string
	}{
		"nothing": {answers{entrypoint, {absent, "\n"}, {trace, traced}}, nil, ""},
		"a library": {
			answers{entrypoint, {absent, "/usr/lib/liba.so\n"}, {owners, "liba1\n"}, {trace, traced}},
			[]string{lacks}, "",
		},
		"a file of nobody": {
			answers{entrypoint, {absent, "/usr/share/odd\n"}, {owners, ""}, {trace, traced}},
			[]string{"a/values.yaml: a opens /usr/share/odd, which is not in the runtime image and of no Debian " +
				"package; read it from a support module"}, "",
		},
		"strace sees nothing": {
			answers{entrypoint, {trace, "7 openat(AT_FDCWD, \"/usr/lib/liba.so\", O_RDONLY) = 3\n"}}, nil,
			"tracing a: strace did not see /epics/ioc/ioc start; let the engine's containers use ptrace",
		},
		"strace may not": {
			answers{entrypoint, {trace, &dagger.ExecError{
				Cmd: []string{"strace"}, ExitCode: 1, Stderr: "strace: ptrace: Operation not permitted\n",
			}}}, nil,
			"tracing a: strace: exit status 1; let the engine's containers use ptrace\n" +
				"  strace: ptrace: Operation not permitted",
		},
		"no engine": {
			answers{entrypoint, {trace, errGone}}, nil,
			"tracing a: no session; see that the engine runs and has space left on its disk, then run it again",
		},
		"no looking": {
			answers{entrypoint, {absent, errGone}, {trace, traced}}, nil, "looking for what a opens: no session",
		},
		"no asking Debian": {
			answers{entrypoint, {absent, "/usr/lib/liba.so\n"}, {owners, errGone}, {trace, traced}}, nil,
			"looking for the Debian package of /usr/lib/liba.so: no session",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.answers.engine()
			test, err := Tester{Client: e.Client()}.Complete(t.Context(), tried(e.Client()))
			if c.says != "" {
				require.EqualError(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.faults, test.Faults)
			require.Equal(t, c.faults == nil, test.Passed)
			require.Equal(t, c.faults == nil, len(test.Evidence) == 1)
			require.EqualValues(t, "contents a sha256:1", test.Name+" "+test.Of+" "+string(test.Digest))
		})
	}
}

// An IOC is traced in the developer image with nothing that would ask it or keep its state.
func TestATracedBootAsksNothing(t *testing.T) {
	e := answers{entrypoint, {`from(address:"developer")`, traced}}.engine()
	s := tried(e.Client())
	s.Own, s.Restart, s.Checks = e.Client().Container().From("own"), true, []recipe.Check{{PV: "X"}}
	_, err := Tester{Client: e.Client()}.Complete(t.Context(), s)
	require.NoError(t, err)
	trace := e.Asked()[1]
	require.NotContains(t, trace, `path:"`+layout.Autosave)
	require.NotContains(t, trace, `"own"`)
	require.Contains(t, trace, `"`+layout.Run+`","strace","-f","-qqq","-z","-e","trace=open,openat,execve",`+
		`"-o","/smoke/trace/opened","/epics/ioc/ioc","st.cmd"]`)
	require.Contains(t, e.Asked()[2], `","sh","/epics/ioc/ioc","/usr/lib/liba.so","/usr/share/odd"]`)
}

// serving returns the question that runs a service's command, and what came of it.
func serving(t *testing.T, e *enginetest.Engine) (question string, err error) {
	_, err = Tester{Client: e.Client()}.Serve(t.Context(), pyioc())
	asked := e.Asked()
	return asked[len(asked)-1], err
}

// The command of a service is run in its image by a container of ours, which has the
// capabilities that isolate it; the instance's environment goes over the image's.
func TestWhatServingIs(t *testing.T) {
	e := answers{{".workdir", ""}, {".envVariables.id", []map[string]string{}}, {".stdout", "fine\n@exit 0\n"}}.engine()
	question, err := serving(t, e)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(question, `container.from(address:"debian:trixie-slim")`), question)
	require.Contains(t, question, `.withMountedDirectory(path:"/image", source:‹container`+
		`.from(address:"ghcr.io/x/pyioc:1@sha256:1").withDirectory(path:"`+layout.Config+`", source:‹directory`+
		`.withNewFile(contents:"1", path:"a", permissions:420)›)`+
		`.withNewFile(contents:"127.0.0.1 localhost\n", path:"/etc/hosts")`)
	for _, folder := range []string{"/tmp", "/proc", "/dev"} {
		require.Contains(t, question, `.withDirectory(path:"`+folder+`", source:‹directory›)`)
	}
	require.Contains(t, question, `.withEnvVariable(name:"TAGLINE_RUN"`)
	require.True(t, strings.HasSuffix(question, `.withExec(args:["sh","/smoke/command.sh","60","1000:1000","/",`+
		`"IOC_NAME=bl01t-py","A=1","--","python","--check"], insecureRootCapabilities:true).stdout`), question)
}

func TestAServiceThatCantBeServed(t *testing.T) {
	for name, c := range map[string]struct {
		answers answers
		says    string
	}{
		"no image":       {answers{{".workdir", errGone}}, "reading the image of bl01t-py: no session"},
		"no environment": {answers{{".envVariables", errGone}}, "reading the image of bl01t-py: no session"},
		"no container": {
			answers{{".envVariables.id", []map[string]string{}}, {".stdout", errGone}}, "booting bl01t-py: no session",
		},
		"no end": {
			answers{{".envVariables.id", []map[string]string{}}, {".stdout", "fine\n"}},
			"booting bl01t-py: command.sh did not say how the command ended",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serving(t, c.answers.engine())
			require.EqualError(t, err, c.says)
		})
	}
}

// What boot.sh prints beside what it promises is neither a PV nor a fault of the IOC, and
// what an IOC was asked to keep is asked for again after the last time that it was put.
func TestWhatIsReadOfABoot(t *testing.T) {
	b := boot(t, running+"ioc-run: X:A gives an error, waiting\n"+ended+
		"@pvs 1\nepics> \n\nX:A, \"ai\"\n@answers 1\nprotocol ca\n@exit 1 0\n")
	require.Equal(t, []record.PV{{Name: "X:A", Type: "ai"}}, b.pvs)
	require.Empty(t, b.faults(subject("iocInit\n")))

	four, five := "4", "5"
	put := Subject{Restart: true, Checks: []recipe.Check{
		{PV: "X:A", Line: 1, Put: &four}, {PV: "X:A", Line: 2, Put: &five}, {PV: "X:A", Line: 3, Units: "mm"},
		{PV: "X:B", Line: 4, Advances: true},
	}}
	require.Equal(t, []recipe.Check{{PV: "X:A", Line: 2, Value: &five}}, put.checks(2))
	put.Restart = false
	require.Equal(t, put.Checks[2:], put.checks(2), "nothing was kept")
	for want, s := range map[int][]Subject{1: {{}}, 2: {{Restart: true}, {Autosave: true}}} {
		for _, one := range s {
			require.Equal(t, want, one.boots())
		}
	}
}
