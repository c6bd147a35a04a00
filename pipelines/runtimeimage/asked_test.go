package runtimeimage

import (
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// A developer image without binutils: the engine says of it "exit code: 127" and no more.
func TestADeveloperImageWithoutStrip(t *testing.T) {
	e := enginetest.Engine{Answer: func(question string) (any, error) {
		if strings.HasSuffix(question, ".glob") || strings.Contains(question, ".glob(") {
			return []string{}, nil
		}
		if strings.HasSuffix(question, ".sync") && strings.Contains(question, "/tmp/stripped") {
			return nil, &dagger.ExecError{
				Cmd: []string{"sh", "-c", stripScript, "sh", "/tmp/stripped"}, ExitCode: 127,
				Stderr: "sh: 11: strip: not found\n",
			}
		}
		return nil, nil
	}}
	client := e.Client()
	_, err := Computer{
		Tree:  &recipe.Tree{},
		Image: &recipe.Image{Name: "epics-base", File: "generic-iocs/epics-base/image.yaml"},
		Lock:  &lockfile.Lock{}, Developer: client.Container().From("developer"),
		Packages: client.Container().From("packages"),
		Parent:   client.Container().From("root"),
	}.Compute(t.Context())
	require.ErrorContains(t, err, "copying the files of the runtime image of epics-base: ")
	require.ErrorContains(t, err, "strip: not found")
	require.Equal(t, diag.Broken, diag.KindOf(err))
	var told *diag.Error
	require.ErrorAs(t, err, &told)
	require.Contains(t, told.Fix, "binutils")
}
