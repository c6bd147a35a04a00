package fleet

import (
	"os"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/status"
)

const line = "fleet"

func TestTheSiteIsABeamlineWithoutFaults(t *testing.T) {
	dir := t.TempDir()
	s, err := newSite(dir, line, 7)
	require.NoError(t, err)
	one, err := s.commit("Lock", line+"/"+First)
	require.NoError(t, err)
	require.NoError(t, s.change())
	two, err := s.commit("Change every third IOC", line+"/"+Second)
	require.NoError(t, err)
	read, err := beamline.Read(os.DirFS(dir), line)
	require.NoError(t, err)
	assert.Len(t, read.Instances, 7)

	commit, err := s.repo.CommitObject(plumbing.NewHash(two))
	require.NoError(t, err)
	stats, err := commit.Stats()
	require.NoError(t, err)
	assert.Len(t, stats, 3, "the first, the fourth and the seventh")

	again, err := newSite(t.TempDir(), line, 7)
	require.NoError(t, err)
	same, err := again.commit("Lock", line+"/"+First)
	require.NoError(t, err)
	assert.Equal(t, one, same, "a second run finds its releases")
	assert.NotEqual(t, one, two)
}

func TestWhole(t *testing.T) {
	st := func(change func(*status.Status)) *status.Status {
		s := &status.Status{Version: Second, Instances: []status.IOC{
			{Name: "a", Version: Second, Ready: true}, {Name: "b", Version: Second, Ready: true}}}
		change(s)
		return s
	}
	require.NoError(t, whole(st(func(*status.Status) {}), 2))
	for want, change := range map[string]func(*status.Status){
		"the ledger names no release":          func(s *status.Status) { s.Version = "" },
		"a change to 2026.1.1 was never ended": func(s *status.Status) { s.Underway = First },
		`pods that are no IOC's: ["x"]`:        func(s *status.Status) { s.Strays = []string{"x"} },
		"1 instances, want 2":                  func(s *status.Status) { s.Instances = s.Instances[:1] },
		"b is not ready: ended 3 times": func(s *status.Status) {
			s.Instances[1] = status.IOC{Name: "b", Doing: "ended 3 times"}
		},
		"b runs 2026.1.1, and the ledger says 2026.1.2": func(s *status.Status) { s.Instances[1].Version = First },
		`a differs from its release: ["replicas: 0"]`:   func(s *status.Status) { s.Instances[0].Drift = []string{"replicas: 0"} },
	} {
		assert.EqualError(t, whole(st(change), 2), want)
	}
}
