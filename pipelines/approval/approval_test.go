package approval

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// noon is when everything here is asked.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// person signs, and is known by a key.
type person struct {
	key   *sign.Key
	trust *sign.Trust
	name  string // as sign.SignedBy has it
}

func newPerson(t *testing.T) person {
	key, public := keytest.New(t)
	trust, err := sign.TrustKeys(public)
	require.NoError(t, err)
	p := person{key: key, trust: trust}
	signed, err := key.Sign(t.Context(), sign.Statement{Name: "x", Digest: sum("1"), Kind: Kind, Predicate: 1})
	require.NoError(t, err)
	p.name = sign.SignedBy(signed)
	return p
}

func sum(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// shelf returns a registry of the test alone, with a record, and the record's address.
func shelf(t *testing.T) (*registry.Registry, asset.Ref) {
	host := registrytest.Serve(t, nil)
	reg, err := registry.New(host, registry.Options{})
	require.NoError(t, err)
	img, err := random.Image(16, 1)
	require.NoError(t, err)
	digest, err := img.Digest()
	require.NoError(t, err)
	ref := reg.RecordRef("bl01t", asset.Digest(digest.String()))
	address, err := name.NewDigest(string(ref))
	require.NoError(t, err)
	require.NoError(t, remote.Write(address, img))
	return reg, ref
}

// good is an approval that counts at noon.
func good() Approval {
	return Approval{
		Beamline: "bl01t", Version: "2026.11.2", Policy: sum("2"), From: noon, Until: noon.Add(24 * time.Hour),
	}
}

// question asks about the record at ref, with one approver.
func question(ref asset.Ref, approver person) Question {
	return Question{
		Beamline: "bl01t", Record: string(ref.Digest()), Policy: sum("2"), Signer: "key of the workflow", Now: noon,
		Approvers: []Approver{{Name: "ada", Trust: approver.trust}},
	}
}

// TestJudge changes one thing of an approval that counts, or of what is asked.
func TestJudge(t *testing.T) {
	ada, mallory := newPerson(t), newPerson(t)
	for name, c := range map[string]struct {
		by   person
		edit func(*Approval)
		ask  func(*Question)
		why  string // empty when it counts
	}{
		"a good one":      {by: ada},
		"by nobody known": {by: mallory, why: "it is signed by " + mallory.name + ", who is no approver"},
		"another beamline": {
			by: ada, edit: func(a *Approval) { a.Beamline = "bl02t" }, why: "it is for the beamline bl02t",
		},
		"another policy": {by: ada, ask: func(q *Question) { q.Policy = sum("3") }, why: "under another policy"},
		"another record": {
			by: ada, ask: func(q *Question) { q.Record = sum("4") }, why: "it is of another record, sha256:",
		},
		"clocks that differ a little": {by: ada, edit: func(a *Approval) { a.From = noon.Add(time.Minute) }},
		"tomorrow's": {
			by: ada, edit: func(a *Approval) { a.From = noon.Add(time.Minute + 1) },
			why: "it begins at 2026-11-26 12:01 UTC",
		},
		"its last moment": {by: ada, ask: func(q *Question) { q.Now = noon.Add(24*time.Hour - 1) }},
		"one that ended": {
			by: ada, ask: func(q *Question) { q.Now = noon.Add(24 * time.Hour) },
			why: "it ended at 2026-11-27 12:00 UTC",
		},
		"the release's own signer": {
			by: ada, ask: func(q *Question) { q.Signer = ada.name }, why: "it is by the signer of the release",
		},
		"the own signer, who may": {by: ada, ask: func(q *Question) { q.Signer, q.Self = ada.name, true }},
		"the release's signer, in another way": {
			by: ada, ask: func(q *Question) {
				q.Signer = mallory.name
				q.Approvers = append(q.Approvers, Approver{"ada", mallory.trust})
			}, why: "it is by the signer of the release",
		},
		"somebody else signed it": {
			by: ada, ask: func(q *Question) {
				q.Signer = mallory.name
				q.Approvers = append(q.Approvers, Approver{"mallory", mallory.trust})
			},
		},
		"no approvers at all": {
			by: ada, ask: func(q *Question) { q.Approvers = nil }, why: "no approver of the policy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			reg, ref := shelf(t)
			a, q := good(), question(ref, ada)
			if c.edit != nil {
				c.edit(&a)
			}
			if c.ask != nil {
				c.ask(&q)
			}
			given, err := Give(t.Context(), reg, c.by.key, ref, a)
			require.NoError(t, err)
			require.NotEmpty(t, given.ID)
			found, err := Find(t.Context(), reg, ref)
			require.NoError(t, err)
			judged := found.Judge(q)
			require.Len(t, judged, 1)
			require.Equal(t, given.ID, judged[0].ID)
			require.Equal(t, c.why == "", judged[0].Good, judged[0].Why)
			require.Contains(t, judged[0].Why, c.why)
		})
	}
}

// An approver counts once, a copy of an approval does not count at all, and an
// override is beside the approvals.
func TestEachApproverCountsOnce(t *testing.T) {
	ada := newPerson(t)
	reg, ref := shelf(t)
	give := func(edit func(*Approval)) *Approval {
		a := good()
		edit(&a)
		given, err := Give(t.Context(), reg, ada.key, ref, a)
		require.NoError(t, err)
		return given
	}
	first := give(func(*Approval) {})
	override := give(func(a *Approval) { a.Override = "the vacuum is gone" })
	give(func(*Approval) {})
	for _, again := range []*Approval{first, override} {
		require.NoError(t, attach(t.Context(), reg, ada.key, ref, Kind, again))
	}
	found, err := Find(t.Context(), reg, ref)
	require.NoError(t, err)
	whys := map[string]int{}
	for _, j := range found.Judge(question(ref, ada)) {
		require.Equal(t, "ada", j.By)
		require.Equal(t, j.Why == "", j.Good)
		whys[j.Why]++
	}
	// The registry may list the copy, the second or the first one first.
	require.Equal(t, 2, whys[""], "one approval and the override count: %v", whys)
	const already, copied = "ada has approved it already", "it is a copy of an approval that is counted"
	require.Equal(t, 5, whys[""]+whys[already]+whys[copied])
}

// A person with two keys counts once, whichever came first.
func TestOnePersonInTwoWays(t *testing.T) {
	ada, hers, bob := newPerson(t), newPerson(t), newPerson(t)
	reg, ref := shelf(t)
	for _, p := range []person{ada, hers, bob} {
		_, err := Give(t.Context(), reg, p.key, ref, good())
		require.NoError(t, err)
	}
	found, err := Find(t.Context(), reg, ref)
	require.NoError(t, err)
	q := question(ref, ada)
	q.Approvers = append(q.Approvers, Approver{"ada", hers.trust}, Approver{"bob", bob.trust})
	counts := map[string]int{}
	for _, j := range found.Judge(q) {
		if j.Good {
			counts[j.By]++
		} else {
			require.Equal(t, "ada has approved it already", j.Why)
		}
	}
	require.Equal(t, map[string]int{"ada": 1, "bob": 1}, counts)
}

func TestRevoke(t *testing.T) {
	ada, bob, mallory := newPerson(t), newPerson(t), newPerson(t)
	for name, c := range map[string]struct {
		by    person
		other bool // it is of another approval
		why   string
	}{
		"by who gave it":         {by: ada, why: "it was revoked at 2026-11-26 11:00 UTC"},
		"by another approver":    {by: bob, why: "it was revoked at 2026-11-26 11:00 UTC"},
		"by anybody":             {by: mallory},
		"of another approval":    {by: ada, other: true},
		"of another, by anybody": {by: mallory, other: true},
	} {
		t.Run(name, func(t *testing.T) {
			reg, ref := shelf(t)
			given, err := Give(t.Context(), reg, ada.key, ref, good())
			require.NoError(t, err)
			id := given.ID
			if c.other {
				id = "another"
			}
			require.NoError(t, Revoke(t.Context(), reg, c.by.key, ref, id, noon.Add(-time.Hour)))
			found, err := Find(t.Context(), reg, ref)
			require.NoError(t, err)
			q := question(ref, ada)
			q.Approvers = append(q.Approvers, Approver{"bob", bob.trust})
			judged := found.Judge(q)
			require.Len(t, judged, 1)
			require.Equal(t, c.why, judged[0].Why)
		})
	}
}

// What anybody attaches to a record does not keep the approvals from being read.
func TestWhatIsNoApprovalIsPassedOver(t *testing.T) {
	ada := newPerson(t)
	reg, ref := shelf(t)
	for _, body := range []string{"", "{}", "null", "\x00", `{"dsseEnvelope":{"payload":"!"}}`} {
		require.NoError(t, reg.Attach(t.Context(), ref, registry.Attachment{
			Media: sign.MediaType, Kind: Kind, Body: []byte(body),
		}))
		require.NoError(t, reg.Attach(t.Context(), ref, registry.Attachment{
			Media: sign.MediaType, Kind: Revocation, Body: []byte(body),
		}))
	}
	require.NoError(t, attach(t.Context(), reg, ada.key, ref, Kind, map[string]int{"id": 1}), "an ID of a wrong type")
	require.NoError(t, attach(t.Context(), reg, ada.key, ref, Kind, Approval{}), "no ID")
	_, err := Give(t.Context(), reg, ada.key, ref, good())
	require.NoError(t, err)
	found, err := Find(t.Context(), reg, ref)
	require.NoError(t, err)
	judged := found.Judge(question(ref, ada))
	require.Len(t, judged, 1)
	require.True(t, judged[0].Good, judged[0].Why)
}

func TestGiveRefuses(t *testing.T) {
	ada := newPerson(t)
	reg, ref := shelf(t)
	for _, length := range []time.Duration{0, -time.Hour} {
		a := good()
		a.Until = a.From.Add(length)
		_, err := Give(t.Context(), reg, ada.key, ref, a)
		require.ErrorContains(t, err, "approving bl01t 2026.11.2: it would end before it begins; give a length of time")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	_, err := Give(t.Context(), reg, ada.key, ref.At(asset.Digest(sum("5"))), good())
	require.ErrorIs(t, err, registry.ErrNotFound, "a record that is not there")
	broken := errors.New("the key is in a drawer")
	_, err = Give(t.Context(), reg, noSigner{broken}, ref, good())
	require.ErrorIs(t, err, broken)
	found, err := Find(t.Context(), reg, ref)
	require.NoError(t, err)
	require.Empty(t, found.Approvals)
	require.Empty(t, found.Revocations)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Find(ctx, reg, ref)
	require.ErrorContains(t, err, "reading approvals")
}

// noSigner fails to sign.
type noSigner struct{ err error }

func (s noSigner) Sign(context.Context, sign.Statement) ([]byte, error) { return nil, s.err }
func (s noSigner) Trust(context.Context) (*sign.Trust, error)           { return nil, s.err }
