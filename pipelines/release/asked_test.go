package release

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
)

// saying is an engine that answers questions with one of these texts in them.
func saying(answers map[string]any) *enginetest.Engine {
	return &enginetest.Engine{Answer: func(question string) (any, error) {
		for text, answer := range answers {
			if !strings.Contains(question, text) {
				continue
			}
			if err, ok := answer.(error); ok {
				return nil, err
			}
			return answer, nil
		}
		return nil, nil
	}}
}

// An image is pushed to a digest that nothing has, so that nobody sees it before its record;
// an engine that gives no digest, or that one back, has pushed nothing that could be tested.
func TestAnImageIsPushedByDigest(t *testing.T) {
	s := newSite(t, images())
	j := s.image("base/1.0.0").job
	for published, want := range map[any]string{
		s.host + "/base-runtime@" + digest64("1"):    "",
		s.host + "/base-runtime:latest":              "the engine gave no digest for base-runtime but",
		s.host + "/base-runtime@" + string(noDigest): "the engine gave no digest for base-runtime but",
		"": `the engine gave no digest for base-runtime but ""`,
		errors.New("denied: the token has no right to push"):      "denied: the token has no right to push",
		s.host + "/base-runtime:1.0.0@" + digest64("1"):           "",
		"not an address, and in two words@" + "sha256:" + "short": "the engine gave no digest",
	} {
		e := saying(map[string]any{".publish(": published})
		got, err := j.publish(t.Context(), e.Client().Container().From("built"), "base-runtime")
		require.Equal(t, []string{
			`container.from(address:"built").publish(address:"` + s.host + "/base-runtime@" + string(noDigest) + `")`,
		}, e.Asked())
		if want != "" {
			require.ErrorContains(t, err, want)
			require.Empty(t, got)
			continue
		}
		require.NoError(t, err)
		require.EqualValues(t, digest64("1"), got)
	}
}

func digest64(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// An image that no IOC is in is tested by a client of EPICS Base that starts.
func TestAnImageWithoutAnIOCIsTestedByItsClients(t *testing.T) {
	s := newSite(t, images())
	w := s.image("base/1.0.0")
	require.NoError(t, w.plan(t.Context()))
	subject := func(e *enginetest.Engine) smoke.Subject {
		return smoke.Subject{Digest: "sha256:1", Runtime: e.Client().Container().From("runtime")}
	}
	e := saying(map[string]any{".stdout": "\nEPICS Version EPICS 7.0.8.1, CA Protocol version 4.13\n"})
	test, err := w.imageJob.smoke(t.Context(), subject(e))
	require.NoError(t, err)
	require.Equal(t, &record.Test{
		Name: record.SmokeTest, Of: "base", Digest: "sha256:1", Passed: true,
		Evidence: []string{"EPICS Version EPICS 7.0.8.1, CA Protocol version 4.13"},
	}, test)
	require.Equal(t, []string{`container.from(address:"runtime").withExec(args:["caget","-V"]).stdout`}, e.Asked())
	_, err = w.imageJob.smoke(t.Context(), subject(saying(map[string]any{".stdout": errors.New("no session")})))
	require.EqualError(t, err, "starting caget of base: no session")
}

// generating is bl01t with one instance that is made from sources and one that is not.
func generating() map[string]string {
	files := line()
	files["beamlines/bl01t/beamline.yaml"] += "generate: {image: ioc-x 1.0.0, command: [sh, make.sh]}\n"
	files["beamlines/bl01t/generate/make.sh"] = "sh\n"
	files["beamlines/bl01t/iocs/bl01t-a/generate/axes.csv"] = "1\n"
	files["beamlines/bl01t/iocs/bl01t-a/values.yaml"] += "env: {SITE: x, AXES: \"2\"}\n"
	delete(files, "beamlines/bl01t/iocs/bl01t-a/config/st.cmd")
	return files
}

// made generates with an engine whose command writes files, or fails.
func made(t *testing.T, s *site, e *enginetest.Engine, only ...string) (map[string]map[string][]byte, error) {
	t.Setenv("TMPDIR", t.TempDir())
	files := fstest.MapFS{}
	for name, text := range generating() {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	b := s.Builder
	b.Client = e.Client()
	return b.Generate(t.Context(), files, "bl01t", false, only...)
}

// writing is an engine whose commands write a config folder, where it is exported to.
func writing(t *testing.T, config map[string]string) *enginetest.Engine {
	var mutex sync.Mutex
	return &enginetest.Engine{Answer: func(question string) (any, error) {
		_, folder, found := strings.Cut(question, `.export(path:"`)
		if !found {
			return nil, nil
		}
		mutex.Lock()
		defer mutex.Unlock()
		folder = strings.TrimSuffix(folder, `")`)
		require.NoError(t, os.MkdirAll(folder, 0o755))
		for name, text := range config {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
		}
		return folder, nil
	}}
}

// A config folder is made in the developer image of the release that is named, from the
// beamline's sources with the instance's over them, in the instance's environment.
func TestAConfigFolderIsMadeFromItsSources(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	e := writing(t, map[string]string{"st.cmd": generating()["beamlines/bl01t/iocs/bl01t-b/config/st.cmd"]})
	all, err := made(t, s, e)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Contains(t, all["beamlines/bl01t/iocs/bl01t-a/config"], "st.cmd")
	require.Len(t, e.Asked(), 1)
	asked := e.Asked()[0]
	require.True(t, strings.HasPrefix(asked, `container.from(address:"`+s.host+`/ioc-x-developer@sha256:`), asked)
	const sources = `‹directory.withNewFile(contents:"sh\n", path:"make.sh", permissions:420)›`
	const own = `‹directory.withNewFile(contents:"1\n", path:"axes.csv", permissions:420)›`
	require.Contains(t, asked, `).withDirectory(path:"/epics/generate", source:‹directory`+
		`.withDirectory(path:"/", source:`+sources+`).withDirectory(path:"/", source:`+own+`)›)`+
		`.withWorkdir(path:"/epics/generate").withDirectory(path:"`+layout.Config+`", source:‹directory›)`+
		`.withEnvVariable(name:"IOC_NAME", value:"bl01t-a").withEnvVariable(name:"AXES", value:"2")`+
		`.withEnvVariable(name:"SITE", value:"x").withExec(args:["sh","make.sh"])`+
		`.directory(path:"`+layout.Config+`").export(`)
}

// What a generator does wrong is told with the file that names it and its sources.
func TestAGeneratorThatFails(t *testing.T) {
	s := newSite(t, line())
	const begin = "beamlines/bl01t/beamline.yaml: generating the config folder of bl01t-a: "
	const end = "; mend sh make.sh in beamlines/bl01t/beamline.yaml, or its sources in " +
		"beamlines/bl01t/generate and beamlines/bl01t/iocs/bl01t-a/generate"
	_, err := made(t, s, &enginetest.Engine{})
	require.ErrorContains(t, err, "ioc-x 1.0.0 is not released in ")
	s.ioc("ioc-x 1.0.0", asset.Image)
	for says, e := range map[string]*enginetest.Engine{
		begin + "sh make.sh: exit status 2" + end + "\n  make.sh: error: no axes.csv": saying(map[string]any{
			".export(": &dagger.ExecError{
				Cmd: []string{"sh", "make.sh"}, ExitCode: 2, Stderr: "make.sh: error: no axes.csv\n",
			},
		}),
		begin + "config: there is no start-up script; add st.cmd" + end: writing(t, map[string]string{"a.db": ""}),
	} {
		_, err := made(t, s, e)
		require.EqualError(t, err, says)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	_, err = made(t, s, &enginetest.Engine{}, "bl01t-b")
	require.ErrorContains(t, err, "beamline bl01t has none of that name; name one of bl01t-a")
}

// A release refuses a committed config folder that its generator makes otherwise, before
// anything of it is pushed.
func TestABeamlineWhoseConfigIsOldIsNotReleased(t *testing.T) {
	files := generating()
	script := line()["beamlines/bl01t/iocs/bl01t-a/config/st.cmd"]
	files["beamlines/bl01t/iocs/bl01t-a/config/st.cmd"] = script
	for name, c := range map[string]struct {
		makes string
		says  string
	}{
		"the same": {script, ""},
		"other": {
			"dbl\n" + script, "beamlines/bl01t/iocs/bl01t-a/config/st.cmd:1: the generator makes something else",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			s := newSite(t, files)
			s.ioc("ioc-x 1.0.0", asset.Image)
			s.Client = writing(t, map[string]string{"st.cmd": c.makes}).Client()
			before := s.repositories()
			j, w := s.beamline(booted)
			err := j.release(t.Context(), w)
			if c.says == "" {
				require.NoError(t, err)
				require.Equal(t, record.GeneratedTest, j.rec.Checks[0].Name)
				require.Equal(t, "bl01t-a", j.rec.Checks[0].Of)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "run tagline generate bl01t bl01t-a, and commit what it writes")
			require.Equal(t, before, s.repositories())
		})
	}
}

// What a developer starts by hand is the instance at the release that it pins, by digest.
func TestAnInstanceIsStartedAtItsRelease(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	e := &enginetest.Engine{}
	p := s.Pipeline
	p.Client = e.Client()
	c, err := p.Instance(t.Context(), "HEAD", "bl01t", "bl01t-b", false)
	require.NoError(t, err)
	_, err = c.Stdout(t.Context())
	require.NoError(t, err)
	asked := e.Asked()[0]
	require.True(t, strings.HasPrefix(asked, `container.from(address:"`+s.host+`/ioc-x-runtime@sha256:`), asked)
	require.Contains(t, asked, `.withMountedDirectory(path:"`+layout.Config+`", source:‹directory.withNewFile(`)
	require.Contains(t, asked, `.withEnvVariable(name:"IOC_RUN_PV", value:"B:X")`)
	require.Contains(t, asked, `.withEnvVariable(name:"IOC_RUN_PROTOCOL", value:"pva")`)
	require.Contains(t, asked, `.withEnvVariable(name:"IOC_RUN_GRACE", value:"5")`)
	require.True(t, strings.HasSuffix(asked, `.withUser(name:"37143:37144").stdout`), asked)
}

// The list of what an image is made of has each Debian package of it, and is of that image.
func TestTheListOfWhatAnImageIsMadeOf(t *testing.T) {
	s := newSite(t, images())
	w := s.image("base/1.0.0")
	a := record.Artifact{Name: "base-runtime", Target: asset.Runtime, Digest: asset.Digest(digest64("1"))}
	w.rec.Artifacts = []record.Artifact{a}
	list := func(answer any) (any, error) {
		e := saying(map[string]any{".contents": answer})
		w.Client = e.Client()
		w.rec.Artifacts[0].Type = record.ImageType
		w.rec.Artifacts[0].Ref = s.Registry.Ref("base-runtime", w.rec.Version)
		w.image = w.pulled(w.rec)
		return w.sbom(t.Context(), a, nil)
	}
	doc, err := list("Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12\n\n")
	require.NoError(t, err)
	require.NotNil(t, doc)
	for _, bad := range []any{errors.New("no such file"), fs.ErrNotExist} {
		_, err = list(bad)
		require.ErrorContains(t, err, "listing the Debian packages of base-runtime: ")
	}
}
