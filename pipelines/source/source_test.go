package source

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

func TestReadStatus(t *testing.T) {
	require.Equal(t, map[string]lockfile.Commit{
		"vendor/fir":   "d86a7c6efd80e4bd3b2bbc0ce4b7b2a4ff52b8fb",
		"vendor/moved": "aa85e3011f4a01de220c94d636a3e0df82974fe2",
	}, readStatus(` d86a7c6efd80e4bd3b2bbc0ce4b7b2a4ff52b8fb vendor/fir (heads/main)
-0123456789abcdef0123456789abcdef01234567 .ci
+aa85e3011f4a01de220c94d636a3e0df82974fe2 vendor/moved (R1-0)
`))
	require.Nil(t, readStatus(""), "no submodules are no key of the lock file")
}

func TestTagsAreTheirCommits(t *testing.T) {
	refs := remoteRefs{
		"refs/tags/R1-0": "tag", "refs/tags/R1-0^{}": "commit", "refs/tags/R1-1": "light",
		"refs/heads/main": "tip", "refs/heads/R1-1": "branch",
	}
	for name, want := range map[string]string{"R1-0": "commit", "R1-1": "light", "main": "tip", "R2-0": ""} {
		got, ok := refs.commit(name)
		require.Equal(t, want, got, name)
		require.Equal(t, want != "", ok, name)
	}
	_, ok := refs.tag("main")
	require.False(t, ok)
	w := Wanted{
		Image: &recipe.Image{File: "a/image.yaml"}, Ref: recipe.ModuleRef{Name: "asyn", Ref: "R9", Line: 3},
		Module: &recipe.Module{Git: "https://git.example.org/asyn"},
	}
	require.EqualError(t, w.noRef(), `a/image.yaml:3: asyn has no ref "R9"; name a tag, branch or commit of https://git.example.org/asyn`)
}

func TestGitGoesThroughTheMirrors(t *testing.T) {
	m := Mirrors{"https://github.com/": "http://a/", "https://github.com/epics-base/": "http://b/"}
	require.Equal(t, []string{
		"git", "-c", "advice.detachedHead=false", "-c", "url.http://b/.insteadOf=https://github.com/epics-base/",
		"-c", "url.http://a/.insteadOf=https://github.com/", "fetch",
	}, m.git("fetch"))
}
