package helm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What changed is told against the newest revision of another chart.
func TestChanged(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1", script: "# 1\n"})
	now, former, err := Changed(t.Context(), s.n, "a")
	require.NoError(t, err)
	require.Nil(t, now, "nothing ran before")
	require.Nil(t, former)

	s.deployed(ioc{version: "1.0.2", script: "# 2\n"})
	s.deployed(ioc{version: "1.0.2", script: "# 2\n"})
	now, former, err = Changed(t.Context(), s.n, "a")
	require.NoError(t, err)
	require.Equal(t, "1.0.2", now.Version)
	require.Equal(t, "1.0.1", former.Version)
	require.Contains(t, now.Manifest, "# 2")
	require.Contains(t, former.Manifest, "# 1")

	now, _, err = Changed(t.Context(), s.n, "nosuch")
	require.NoError(t, err)
	require.Nil(t, now)
	s.Refuse("GET secrets/sh.helm.release.v1.a.v1")
	_, _, err = Changed(t.Context(), s.n, "a")
	require.ErrorContains(t, err, "reading the Helm release of a")
	s.Refuse("GET secrets")
	_, _, err = Changed(t.Context(), s.n, "a")
	require.ErrorContains(t, err, "listing the Helm releases of a")
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: hunter2}"
	manifest := aService + "---\n" + secret + "\n---\n" + aConfigMap
	require.Equal(t, aService+aConfigMap, withoutSecrets(manifest))
	require.Equal(t, aService, withoutSecrets("---\n# Source: x\n"+secret+"\n---\n"+aService))
	require.Empty(t, withoutSecrets("kind: [\n"), "what can't be read may be one")
}
