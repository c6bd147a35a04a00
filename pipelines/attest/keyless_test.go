package attest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/signtest"
)

// TestAWorkflowSignsAChain releases as the workflow of each tag in turn, at a
// Sigstore of real parts.
func TestAWorkflowSignsAChain(t *testing.T) {
	issuer := signtest.NewIssuer(t, signtest.Local)
	parts := signtest.Start(t, signtest.Local, issuer)
	sigstore, err := sign.ReadSigstore(parts.TrustedRoot, parts.SigningConfig)
	require.NoError(t, err)
	workflow := func(tag string) sign.Signer {
		issuer.RunFor(tag)
		return sigstore.Signer(sign.ActionsToken(issuer.TokenURL(), issuer.Secret))
	}
	s := fillBy(t, registrytest.Serve(t, nil), workflow)
	s.trust, err = sigstore.Trust(signtest.Workflow, issuer.URL)
	require.NoError(t, err)
	report, err := s.verify(t)
	require.NoError(t, err)
	require.EqualValues(t, "epics-base", report.Parents[0].Parents[0].Asset)

	s.release(t, workflow(s.ioc.Tag.String()), s.ioc) // as a rerun does
	list, err := s.reg.Attached(t.Context(), s.ioc.Artifacts[0].Pinned(), sign.MediaType, sign.SBOM)
	require.NoError(t, err)
	require.Len(t, list, 1, "what is signed already is signed again")

	file, _ := parts.Files(t)
	cosignChecks(t, s, func(tag string) []string {
		return []string{
			"--trusted-root",
			file,
			"--insecure-ignore-sct",
			"--certificate-oidc-issuer",
			issuer.URL,
			"--certificate-identity",
			signtest.Workflow + "@refs/tags/" + tag,
		}
	}, "--certificate-identity", signtest.Workflow+"@refs/heads/main")

	_, keyed := newKey(t)
	for says, trust := range map[string]func() (*sign.Trust, error){
		"expected key signature": func() (*sign.Trust, error) { return keyed, nil },
		"expected issuer value": func() (*sign.Trust, error) {
			return sigstore.Trust(signtest.Workflow, "https://example.org")
		},
		"expected SAN value": func() (*sign.Trust, error) {
			return sigstore.Trust("https://github.com/some-org/site/x.yml", issuer.URL)
		},
		"@refs/tags/ioc-simstage": func() (*sign.Trust, error) {
			return sigstore.Trust(signtest.Workflow+"@refs/tags/"+s.bl.Tag.String(), issuer.URL)
		},
	} {
		other := *s
		other.trust, err = trust()
		require.NoError(t, err)
		_, err = other.verify(t)
		require.ErrorContains(t, err, says)
		require.Equal(t, diag.Refused, diag.KindOf(err))
	}

	// The workflow of another tag signs what somebody put in the release's place.
	s.bl.Checks[0].Evidence = []string{"all is well"}
	require.NoError(t, Signer{Registry: s.reg, By: workflow("bl01t/2026.11.2")}.Record(t.Context(), s.bl))
	s.reseal(t)
	_, err = s.verify(t)
	require.ErrorContains(t, err, "@refs/tags/bl01t/2026.11.2")
}
