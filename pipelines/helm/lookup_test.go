package helm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeen(t *testing.T) {
	for path, want := range map[string]bool{
		"/api/v1": true, "/apis": true, "/apis/apps/v1": true,
		"/api/v1/namespaces/bl01t/configmaps":              true,
		"/api/v1/namespaces/bl01t/configmaps/x":            true,
		"/apis/apps/v1/namespaces/bl01t/deployments":       true,
		"/api/v1/namespaces/bl01t/secrets":                 false,
		"/api/v1/namespaces/bl01t/secrets/x":               false,
		"/api/v1/namespaces/bl01t-keys/configmaps":         false,
		"/api/v1/namespaces/bl01t/configmaps/../secrets/x": false,
		"/api/v1/namespaces/bl01t//secrets/x":              false,
		"/api/v1/namespaces/bl01t":                         false,
		"/api/v1/configmaps":                               false,
		"/apis/apps/v1/deployments":                        false,
		"/metrics":                                         false,
		"/":                                                false,
	} {
		require.Equal(t, want, seen(path, "bl01t"), path)
	}
}
