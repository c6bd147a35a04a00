package smoke

import (
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

// Each field of a subject, also one that is added one day, changes the digest of the
// inputs, or is named here with the reason why it does not.
func TestEachInputCounts(t *testing.T) {
	subject := func() Subject {
		return Subject{
			Name: "bl01t-a", Folder: "a/config", Digest: "sha256:1", Config: map[string][]byte{"st.cmd": []byte("x")},
			Checks: []recipe.Check{{PV: "A", Value: text("1"), Min: number(1)}}, File: "values.yaml",
			Env: map[string]string{"A": "1"}, User: "1:1", Grace: 30, ProbePV: "A", Protocol: "ca",
		}
	}
	changes := map[string][]func(*Subject){
		"Name":   {func(s *Subject) { s.Name = "bl01t-b" }},
		"Folder": {func(s *Subject) { s.Folder = "b/config" }},
		"Digest": {func(s *Subject) { s.Digest = "sha256:2" }},
		"Config": {
			func(s *Subject) { s.Config["st.cmd"] = []byte("y") },
			func(s *Subject) { s.Config["a.db"] = nil },
			func(s *Subject) { s.Config = map[string][]byte{"st2.cmd": []byte("x")} },
		},
		"Checks": {
			func(s *Subject) { s.Checks[0].PV = "B" },
			func(s *Subject) { s.Checks[0].Value = text("2") },
			func(s *Subject) { s.Checks[0].Min = number(2) },
			func(s *Subject) { s.Checks = nil },
		},
		"File":     {func(s *Subject) { s.File = "image.yaml" }},
		"Env":      {func(s *Subject) { s.Env["A"] = "2" }, func(s *Subject) { s.Env = nil }},
		"User":     {func(s *Subject) { s.User = "1:2" }},
		"Grace":    {func(s *Subject) { s.Grace = 31 }},
		"ProbePV":  {func(s *Subject) { s.ProbePV = "B" }},
		"Protocol": {func(s *Subject) { s.Protocol = "pva" }},
		"Advances": {func(s *Subject) { s.Advances = true }},
		"Startup": {
			func(s *Subject) { s.Startup.Within = "3m" },
			func(s *Subject) { s.Startup.Allow = []startup.Pattern{{Line: "x", Why: "y"}} },
			func(s *Subject) { s.Startup.Refuse = []startup.Pattern{{Line: "x", Why: "y"}} },
		},
		"Autosave": {func(s *Subject) { s.Autosave = true }},
		"Restart":  {func(s *Subject) { s.Restart = true }},
		"Beside":   {func(s *Subject) { s.Beside = []Simulator{{Command: []string{"x"}}} }},
		"Runtime":  nil, // is what Digest names
		"Own":      nil, // is what Digest names, where there is one
		"Clients":  nil, // are not part of a boot
	}
	require.Equal(t, subject().Inputs(), subject().Inputs())
	seen := map[asset.Digest]string{subject().Inputs(): "nothing"}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Subject]()) {
		all, named := changes[field.Name]
		require.True(t, named, "%s is new", field.Name)
		for _, change := range all {
			s := subject()
			change(&s)
			digest := s.Inputs()
			require.NotContains(t, seen, digest, "%s is as %s", field.Name, seen[digest])
			seen[digest] = field.Name
		}
	}
	built := subject()
	built.Runtime, built.Clients, built.Own = &dagger.Container{}, &dagger.Container{}, &dagger.Container{}
	require.Equal(t, subject().Inputs(), built.Inputs(), "the engine is not asked")
}

// What can't be named by a digest has no digest of its inputs.
func TestInputsThatAreNotKnown(t *testing.T) {
	s := Subject{Name: "a", Digest: "sha256:1"}
	_, err := asset.ParseDigest(string(s.Inputs()))
	require.NoError(t, err)
	s.Digest = ""
	require.Empty(t, s.Inputs(), "an image in no registry")
	s.Digest, s.Beside = "sha256:1", []Simulator{{}}
	require.Empty(t, s.Inputs(), "files of a simulator")
}

// A change of what tests ends all evidence, and one of its tests does not.
func TestTheTesterCounts(t *testing.T) {
	s := Subject{Name: "a", Digest: "sha256:1"}
	require.Equal(t, s.inputs(tester()), s.Inputs())
	require.NotEqual(t, s.inputs("sha256:1"), s.inputs("sha256:2"))

	for _, file := range []string{
		"boot.sh", "boots.sh", "loopback.pl", "judge.go", "checks.go", "smoke.go", "batch.go", "log.go",
	} {
		_, err := fs.Stat(own, file)
		require.NoError(t, err)
	}
	require.Equal(t, inputs.Rooms(own, startup.Source), tester(), "what judges a start is part of it")
	class, err := fs.ReadFile(startup.Source, "class.go")
	require.NoError(t, err)
	require.True(t, strings.Contains(string(class), "baseFaults"))
}
