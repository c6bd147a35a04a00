package helm

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// stored is Helm's memory with revisions of one instance in it.
func stored(t *testing.T, statuses ...release.Status) *action.Configuration {
	cfg := &action.Configuration{
		Releases:   storage.Init(driver.NewMemory()),
		KubeClient: &kubefake.PrintingKubeClient{Out: io.Discard},
		Log:        func(string, ...any) {},
	}
	for i, status := range statuses {
		require.NoError(
			t,
			cfg.Releases.Create(
				&release.Release{
					Name:      "a",
					Version:   i + 1,
					Namespace: "default",
					Info:      &release.Info{Status: status},
				},
			),
		)
	}
	return cfg
}

func TestSettleCountsAHalfDoneRevisionAsDeployed(t *testing.T) {
	for _, half := range []release.Status{
		release.StatusPendingInstall, release.StatusPendingUpgrade, release.StatusPendingRollback,
		release.StatusUninstalling, release.StatusFailed,
	} {
		t.Run(half.String(), func(t *testing.T) {
			cfg := stored(t, release.StatusSuperseded, release.StatusDeployed, half)
			last, err := settle(cfg, "a")
			require.NoError(t, err)
			require.Equal(t, 3, last.Version)
			deployed, err := cfg.Releases.DeployedAll("a")
			require.NoError(t, err)
			require.Len(t, deployed, 1)
			require.Equal(t, 3, deployed[0].Version)
		})
	}
}

func TestSettleLeavesTheRestAlone(t *testing.T) {
	for _, status := range []release.Status{release.StatusDeployed, release.StatusUninstalled} {
		last, err := settle(stored(t, status), "a")
		require.NoError(t, err)
		require.Equal(t, status, last.Info.Status)
	}
	last, err := settle(stored(t), "a")
	require.NoError(t, err)
	require.Nil(t, last)
}
