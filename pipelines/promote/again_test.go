package promote_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// passOf lets a release of one service through, by a record of a digest.
func passOf(t *testing.T, digest string) gate.Pass {
	t.Helper()
	d := asset.Digest("sha256:" + strings.Repeat(digest, 64))
	rec := &record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("1.0.0"), Tag: assettest.Tag("bl01t/1.0.0"),
		Namespace: "bl01t",
		Instances: []record.Instance{{Name: "a", Service: "x", Chart: asset.Ref("h.x/charts/a@" + d)}},
		Checks:    []record.Test{{Name: record.UniquePVsTest, Passed: true}},
	}
	pass, err := gate.Decide(gate.Facts{
		Beamline: "bl01t", Namespace: "bl01t", Release: &attest.Release{Record: rec, Digest: d}, Now: time.Now(),
		Policy: &policy.Policy{Unsigned: "a test"},
	}).Pass()
	require.NoError(t, err)
	return pass
}

// A run may wait for the lock while the policy changes. What the gate says then is what
// counts, and nothing is touched where it is closed, or lets another record through.
func TestTheGateIsAskedAgainUnderTheLock(t *testing.T) {
	for name, c := range map[string]struct {
		again func(*testing.T) (gate.Pass, error)
		says  string
	}{
		"closed meanwhile": {
			func(*testing.T) (gate.Pass, error) { return gate.Pass{}, errors.New("on hold") }, "on hold",
		},
		"another record": {
			func(t *testing.T) (gate.Pass, error) { return passOf(t, "b"), nil }, "and then sha256:bbbb",
		},
		"open still": {func(t *testing.T) (gate.Pass, error) { return passOf(t, "a"), nil }, "no chart"},
	} {
		t.Run(name, func(t *testing.T) {
			s := clustertest.New(t)
			n := s.Namespace(t, "bl01t")
			held := false
			_, err := promote.Run(t.Context(), promote.Deps{
				Cluster: n, Holder: "me", Timeout: time.Minute,
				Again: func(ctx context.Context) (gate.Pass, error) {
					held = len(s.Names("leases")) == 1
					return c.again(t)
				},
				Chart: func(context.Context, asset.Ref) ([]byte, error) { return nil, errors.New("no chart") },
			}, passOf(t, "a"))
			require.ErrorContains(t, err, c.says)
			require.True(t, held, "it was asked under the lock")
			require.Equal(t, []string{"POST namespaces"}, s.Changes())
			_, err = ledger.Read(t.Context(), n)
			require.NoError(t, err)
		})
	}
}
