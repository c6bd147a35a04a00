package helm

import (
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// TestWhatWasNotSeenAtTheGateIsNotDeployed: Helm stores a release before it sends
// anything of it, and one that needs more than was judged is not stored.
func TestWhatWasNotSeenAtTheGateIsNotDeployed(t *testing.T) {
	const (
		plain   = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
		service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
		hook    = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {helm.sh/hook: pre-delete}}\n"
	)
	for says, c := range map[string]struct {
		manifest, hook string
		consent        []string
	}{
		"":                              {plain, "", nil},
		" ":                             {plain + service, hook, []string{"kind Service", "hook pre-delete"}},
		"at the gate: kind Service":     {plain + service, "", nil},
		"at the gate: kind Service; ":   {plain + service, hook, []string{"hook pre-delete"}},
		"at the gate: hook pre-delete;": {plain, hook, []string{"kind Service"}},
		"reading manifests":             {"a: [", "", nil},
	} {
		store := storage.Init(driver.NewMemory())
		store.Driver = judging{store.Driver, "host/x@sha256:1", c.consent}
		rel := &release.Release{
			Name: "a", Namespace: "default", Version: 1, Manifest: c.manifest,
			Info: &release.Info{Status: release.StatusPendingInstall},
		}
		if c.hook != "" {
			rel.Hooks = []*release.Hook{{Name: "x", Manifest: c.hook}}
		}
		err := store.Create(rel)
		if says == "" || says == " " {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
		_, err = store.Get("a", 1)
		require.ErrorIs(t, err, driver.ErrReleaseNotFound, "nothing was stored")
	}
	err := judging{consent: nil}.Create("", &release.Release{Name: "a", Manifest: service})
	require.Equal(t, diag.Refused, diag.KindOf(err))
}
