//go:build standin

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// TestStatusIsThatOfTheCommand: it says all that the command says, also what people set
// and wrote beside the release.
func TestStatusIsThatOfTheCommand(t *testing.T) {
	server := clustertest.New(t)
	n := server.Namespace(t, "bl01t")
	kubeconfig := &dagger.Secret{Text: server.Kubeconfig()}
	_, err := module(site(t)).Status(t.Context(), "bl01t", kubeconfig, "")
	require.ErrorContains(t, err, "bl01t", "nothing was ever promoted there")

	ran := &ledger.Ledger{Hold: &ledger.Note{By: "ada", Reason: "rolled back from 2026.11.2"}}
	digest := asset.Digest("sha256:" + strings.Repeat("ab", 32))
	ran.Push(ledger.Release{Since: time.Now(), Digest: digest, Record: record.Record{
		Asset: "bl01t", Version: assettest.Version("2026.11.1"), Tag: assettest.Tag("bl01t/2026.11.1"),
		Instances: []record.Instance{{Name: "a", IOC: assettest.Pin("ioc-x 1.0.0")}},
	}})
	require.NoError(t, ran.Save(t.Context(), n))
	require.NoError(t, operate.Acknowledge(t.Context(), operate.Order{
		Cluster: n, Instances: []string{"a"}, Reason: "cable is ordered", Holder: "ada", Timeout: time.Minute,
	}, time.Hour))

	file, err := module(site(t)).Status(t.Context(), "bl01t", kubeconfig, "")
	require.NoError(t, err)
	now, err := status.Read(t.Context(), n)
	require.NoError(t, err)
	require.NotNil(t, now.Instances[0].Acknowledged)
	want, err := json.MarshalIndent(now, "", "  ")
	require.NoError(t, err)
	require.Equal(t, string(want)+"\n", file.Text)
}
