package gate

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// TestNamed: signers are named one by one or by a policy, never by nobody, and what is
// named beside them belongs to one of them.
func TestNamed(t *testing.T) {
	_, public := keytest.New(t)
	key := []policy.Signer{{Key: string(public)}}
	ours := []policy.Signer{{Key: string(public), Assets: []string{"ioc-*"}}}
	const workflow = "https://github.com/some-org/site/.github/workflows/release.yml"
	ids, theirs := []string{workflow}, &policy.Policy{Signers: key}
	offline := errors.New("the public Sigstore is asked")
	for name, c := range map[string]struct {
		named Named
		says  string
	}{
		"nobody":                        {Named{}, "nobody is named"},
		"nobody, by the usual issuer":   {Named{Issuer: policy.Actions}, "nobody is named"},
		"a key":                         {Named{Keys: key}, ""},
		"a key for some":                {Named{Keys: ours}, ""},
		"a key that is none":            {Named{Keys: []policy.Signer{{Key: "x"}}}, "public key"},
		"a policy":                      {Named{Policy: theirs}, ""},
		"a policy of nobody":            {Named{Policy: &policy.Policy{}}, "the policy names no signers"},
		"a policy of nobody, at a gate": {Named{Policy: &policy.Policy{}, AsGate: true}, "the policy names no signers"},
		"a policy and a key":            {Named{Policy: theirs, Keys: key}, "give one of them"},
		"a policy and an identity":      {Named{Policy: &policy.Policy{}, Identities: ids}, "give one of them"},
		"a Sigstore for a key":          {Named{Keys: key, TrustedRoot: "{}"}, "no identity is named"},
		"an issuer for a key":           {Named{Keys: key, Issuer: "https://id.example.org"}, "no identity is named"},
		"a Sigstore for a policy":       {Named{Policy: theirs, TrustedRoot: "{}"}, "no identity"},
		"an identity":                   {Named{Identities: ids}, offline.Error()},
		"an identity of our Sigstore":   {Named{Identities: ids, TrustedRoot: "{}"}, "reading the trusted root"},
		"an identity for some, and key": {Named{Keys: key, Identities: []string{"ioc-*=" + workflow}}, offline.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			trusted, err := c.named.Trusted(t.Context(), func(context.Context) (*sign.Sigstore, error) {
				return nil, offline
			})
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				if c.says != offline.Error() {
					require.Equal(t, diag.Invalid, diag.KindOf(err))
				}
				return
			}
			require.NoError(t, err)
			require.Len(t, trusted("ioc-a"), 1)
			require.Equal(t, name != "a key for some", len(trusted("bl01t")) == 1)
		})
	}
}

// TestNamedAsAtTheGate: a policy that accepts releases which nobody signed asks for no
// signature, but only there.
func TestNamedAsAtTheGate(t *testing.T) {
	_, public := keytest.New(t)
	p := &policy.Policy{Unsigned: "a test without hardware", Signers: []policy.Signer{{Key: string(public)}}}
	for asGate, want := range map[bool]bool{true: false, false: true} {
		trusted, err := Named{Policy: p, AsGate: asGate}.Trusted(t.Context(), sign.PublicSigstore)
		require.NoError(t, err)
		require.Equal(t, want, trusted != nil)
	}
}

// TestScoped: what stands before = is the name of an asset, unless it is part of an address.
func TestScoped(t *testing.T) {
	for item, want := range map[string]struct {
		assets []string
		signer string
	}{
		"ioc-*=release.pub":             {[]string{"ioc-*"}, "release.pub"},
		"release.pub":                   {nil, "release.pub"},
		"keys/a=b.pub":                  {nil, "keys/a=b.pub"},
		"https://x.example.org/?a=b":    {nil, "https://x.example.org/?a=b"},
		"bl01t=https://x.example.org/a": {[]string{"bl01t"}, "https://x.example.org/a"},
		"ada@example.org":               {nil, "ada@example.org"},
	} {
		assets, signer := policy.Scoped(item)
		require.Equal(t, want.assets, assets, item)
		require.Equal(t, want.signer, signer, item)
	}
}

// TestApprovalNamed: an approval is named by the beginning of its ID, where that is clear.
func TestApprovalNamed(t *testing.T) {
	v := &Verdict{Beamline: "bl01t"}
	for _, id := range []string{"KAAA", "KABB", "ZZZZ"} {
		v.Approvals = append(v.Approvals, approval.Judged{
			Statement: approval.Statement{Approval: approval.Approval{ID: id}},
		})
	}
	for begins, want := range map[string]string{"Z": "ZZZZ", "KAA": "KAAA", "KABB": "KABB"} {
		id, err := v.approvalNamed(begins)
		require.NoError(t, err)
		require.Equal(t, want, id)
	}
	for begins, says := range map[string]string{
		"K": `2 of its approvals begin with "K"`, "": `3 of its approvals begin with ""`, "Q": `it has no approval "Q"`,
	} {
		_, err := v.approvalNamed(begins)
		require.ErrorContains(t, err, says)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}
