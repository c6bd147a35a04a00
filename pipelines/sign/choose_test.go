package sign

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestChoice(t *testing.T) {
	private, _, err := NewKey([]byte("hunter2"))
	require.NoError(t, err)
	job := &Workflow{URL: "http://127.0.0.1:1/token", Token: "ghs_secret"}
	for name, c := range map[string]struct {
		choice Choice
		want   string // of the refusal
	}{
		"a key and a workflow": {
			Choice{Key: private, Workflow: job}, "a key and a workflow are both named; sign with one of them",
		},
		"half a Sigstore": {
			Choice{Workflow: job, TrustedRoot: []byte("{}")}, "only a part of a private Sigstore is named",
		},
		"the other half": {
			Choice{Workflow: job, SigningConfig: []byte("{}")}, "only a part of a private Sigstore is named",
		},
		"a Sigstore without keyless": {
			Choice{Key: private, TrustedRoot: []byte("{}"), SigningConfig: []byte("{}")}, "only a part",
		},
		"a job without a token": {
			Choice{Workflow: &Workflow{URL: job.URL}}, "give the job the permission id-token: write",
		},
		"a job without an address": {Choice{Workflow: &Workflow{Token: job.Token}}, "there is no workflow to sign as"},
		"files that are none": {
			Choice{Workflow: job, TrustedRoot: []byte("{}"), SigningConfig: []byte("{}")}, "reading the trusted root",
		},
		"an empty key": {Choice{Key: []byte{}}, "reading"},
		"an empty trusted root": {
			Choice{Workflow: job, TrustedRoot: []byte{}, SigningConfig: []byte("{}")}, "reading the trusted root",
		},
		"a wrong password": {Choice{Key: private, KeyPassword: []byte("hunter3")}, "reading"},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := c.choice.Signer(t.Context())
			require.Nil(t, signer)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
			require.NotContains(t, err.Error(), "hunter")
			require.NotContains(t, err.Error(), job.Token)
		})
	}
	signer, err := Choice{Key: private, KeyPassword: []byte("hunter2")}.Signer(t.Context())
	require.NoError(t, err)
	require.IsType(t, &Key{}, signer)
	signer, err = Choice{}.Signer(t.Context())
	require.NoError(t, err)
	require.True(t, signer == nil, "nobody signs, and no nil pointer within")
}
