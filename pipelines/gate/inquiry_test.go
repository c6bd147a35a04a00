package gate

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

// person has a key.
type person struct {
	key    *sign.Key
	public string
}

func newPerson(t testing.TB) person {
	key, public := keytest.New(t)
	return person{key, string(public)}
}

// world is a registry with a release of bl01t that runs a released image, both
// signed by one person, and a policy that trusts that person.
type world struct {
	*testing.T
	host    string
	reg     *registry.Registry
	maker   person
	ajp     person
	policy  string
	applied string            // what names it as it was applied
	image   asset.Digest      // of ioc-simstage-runtime; empty for one that is made
	own     map[string][]byte // chart files that bl01t-a has of its own
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, host: registrytest.Serve(t, nil), maker: newPerson(t), ajp: newPerson(t)}
	var err error
	w.reg, err = registry.New(w.host, registry.Options{})
	require.NoError(t, err)
	w.policy = "signers:\n  - key: " + indent(w.maker.public) + "approvals:\n  count: 1\n  from:\n    - name: ajp\n" +
		"      key: " + indent(w.ajp.public) + "    - name: maker\n      key: " + indent(w.maker.public)
	return w
}

func indent(pem string) string {
	return "|\n          " + strings.ReplaceAll(strings.TrimSpace(pem), "\n", "\n          ") + "\n"
}

// push pushes content at a path of the registry, and returns its digest.
func (w *world) push(path string) asset.Digest {
	img, err := random.Image(32, 1)
	require.NoError(w, err)
	h, err := img.Digest()
	require.NoError(w, err)
	ref, err := name.NewDigest(w.host + "/" + path + "@" + h.String())
	require.NoError(w, err)
	require.NoError(w, remote.Write(ref, img))
	return asset.Digest(h.String())
}

// release seals a release of bl01t at a version. sign is who signs it, nil for
// nobody; change alters the record before.
func (w *world) release(v string, sign *person, change func(*record.Record)) asset.Digest {
	runtime, developer := w.image, w.push("ioc-simstage-developer")
	if runtime == "" {
		runtime = w.push("ioc-simstage-runtime")
	}
	c := w.chart(v, w.reg.At("ioc-simstage-runtime", runtime))
	root := asset.Ref("docker.io/library/debian:trixie@sha256:" + strings.Repeat("ab", 32))
	ioc := &record.Record{
		Schema: record.Schema, Kind: asset.Image, Asset: "ioc-simstage", Version: parse(v),
		Tag:    asset.Tag{Asset: "ioc-simstage", Version: parse(v)},
		Commit: strings.Repeat("0a", 20), Tool: "1.0.0",
		Artifacts: []record.Artifact{
			{
				Name: "ioc-simstage-developer", Type: record.ImageType, Target: "developer",
				Ref: asset.Ref(w.host + "/ioc-simstage-developer:" + v), Digest: developer,
			},
			{
				Name: "ioc-simstage-runtime", Type: record.ImageType, Target: "runtime",
				Ref: asset.Ref(w.host + "/ioc-simstage-runtime:" + v), Digest: runtime,
			},
		},
		Parents: record.Parents{Root: root},
		Checks:  []record.Test{{Name: "smoke", Of: "ioc-simstage", Passed: true}},
	}
	image := w.reg.At("ioc-simstage-runtime", runtime)
	bl := &record.Record{
		Schema: record.Schema, Kind: asset.Beamline, Asset: "bl01t", Version: parse(v),
		Tag:    asset.Tag{Asset: "bl01t", Version: parse(v)},
		Commit: strings.Repeat("0b", 20), Tool: "1.0.0", Namespace: "bl01t",
		Artifacts: []record.Artifact{{
			Name: "bl01t-a", Type: record.ChartType, Ref: asset.Ref(w.host + "/charts/bl01t-a:" + v), Digest: c,
		}},
		Parents: record.Parents{Releases: []record.Parent{{
			Asset: "ioc-simstage", Version: parse(v), Ref: image, Digest: runtime,
		}}},
		Instances: []record.Instance{{
			Name: "bl01t-a", Chart: w.reg.At("charts/bl01t-a", c), Image: image,
			IOC: asset.Pin{Asset: "ioc-simstage", Version: parse(v)}, ProbePV: "X", Protocol: "ca",
		}},
		Checks: []record.Test{{Name: "boot", Of: "bl01t-a", Digest: runtime, Passed: true}},
	}
	if change != nil {
		change(bl)
	}
	var digest asset.Digest
	for _, rec := range []*record.Record{ioc, bl} {
		if sign != nil {
			require.NoError(w, attest.Signer{Registry: w.reg, By: sign.key}.Record(w.Context(), rec))
		}
		var err error
		digest, err = w.reg.Seal(w.Context(), rec)
		require.NoError(w, err)
	}
	return digest
}

// ask asks the gate of bl01t about a version.
func (w *world) ask(v string) (*Verdict, error) { return w.inquiry().Ask(w.Context(), parse(v), "") }

// inquiry asks under the policy as it is now.
func (w *world) inquiry() *Inquiry {
	p, err := policy.ReadApplied("policy.yaml", []byte(w.policy), w.applied)
	require.NoError(w, err)
	return &Inquiry{
		Beamline: "bl01t", Namespace: "bl01t", Policy: p, Registry: w.reg, Now: now,
		Sigstore: func(context.Context) (*sign.Sigstore, error) {
			return nil, errors.New("no Sigstore is needed here")
		},
	}
}

// approve approves a record as somebody; change alters what is said.
func (w *world) approve(who person, digest asset.Digest, change func(*approval.Approval)) *approval.Approval {
	p, err := policy.ReadApplied("policy.yaml", []byte(w.policy), w.applied)
	require.NoError(w, err)
	a := approval.Approval{
		Beamline: "bl01t", Version: "1.0.0", Policy: p.Digest(), From: now, Until: now.Add(time.Hour),
	}
	if change != nil {
		change(&a)
	}
	given, err := approval.Give(w.Context(), w.reg, who.key, w.reg.RecordRef("bl01t", digest), a)
	require.NoError(w, err)
	return given
}

// refuses checks that the gate is closed and says why.
func (w *world) refuses(v, says string) {
	w.Helper()
	verdict, err := w.ask(v)
	if err == nil {
		_, err = verdict.Pass()
	}
	require.ErrorContains(w, err, says)
	require.Equal(w, diag.Refused, diag.KindOf(err))
}

func TestAnApprovedReleasePasses(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	w.refuses("1.0.0", "it has 0 of 1 approvals, from any of ajp, maker")
	w.approve(w.ajp, digest, nil)
	verdict, err := w.ask("1.0.0")
	require.NoError(t, err)
	pass, err := verdict.Pass()
	require.NoError(t, err)
	require.Equal(t, digest, pass.Digest())
}

// TestApprovalsThatDoNotCount tries each way to be let in without an approval.
func TestApprovalsThatDoNotCount(t *testing.T) {
	for says, attack := range map[string]func(*world, asset.Digest){
		"it is signed by key":                func(w *world, d asset.Digest) { w.approve(newPerson(w), d, nil) },
		"it is by the signer of the release": func(w *world, d asset.Digest) { w.approve(w.maker, d, nil) },
		"it is for the beamline bl02t": func(w *world, d asset.Digest) {
			w.approve(w.ajp, d, func(a *approval.Approval) { a.Beamline = "bl02t" })
		},
		"it ended at 2026-11-30 12:00 UTC": func(w *world, d asset.Digest) {
			w.approve(w.ajp, d, func(a *approval.Approval) { a.From, a.Until = now.Add(-time.Hour), now })
		},
		"it begins at": func(w *world, d asset.Digest) {
			w.approve(w.ajp, d, func(a *approval.Approval) {
				a.From, a.Until = now.Add(time.Hour), now.Add(2*time.Hour)
			})
		},
		"it was given under another policy": func(w *world, d asset.Digest) {
			w.approve(w.ajp, d, nil)
			w.policy += "# stricter\n"
		},
		"before this one was changed and changed back": func(w *world, d asset.Digest) { // and was changed back
			w.approve(w.ajp, d, nil)
			w.applied = "x/3"
		},
		"no approver of the policy": func(w *world, d asset.Digest) {
			w.approve(w.ajp, d, nil)
			i := strings.Index(w.policy, "    - name: ajp")
			w.policy = w.policy[:i] + w.policy[strings.Index(w.policy, "    - name: maker"):]
		},
		"it was revoked": func(w *world, d asset.Digest) {
			a := w.approve(w.ajp, d, nil)
			require.NoError(w, approval.Revoke(w.Context(), w.reg, w.maker.key, w.reg.RecordRef("bl01t", d), a.ID, now))
		},
		"it is of another record": func(w *world, d asset.Digest) { // moved from the release that was approved
			other := w.release("0.9.0", &w.maker, nil)
			w.approve(w.ajp, other, nil)
			list, err := w.reg.Attached(w.Context(), w.reg.RecordRef("bl01t", other), sign.MediaType, approval.Kind)
			require.NoError(w, err)
			require.NoError(w, w.reg.Attach(
				w.Context(), w.reg.RecordRef("bl01t", d),
				registry.Attachment{Media: sign.MediaType, Kind: approval.Kind, Body: list[0]},
			))
		},
		"it has 1 of 2 approvals": func(w *world, d asset.Digest) { // one person, twice
			w.policy = strings.Replace(w.policy, "count: 1", "count: 2", 1)
			w.approve(w.ajp, d, nil)
			w.approve(w.ajp, d, nil)
		},
		"ajp has approved it already": func(w *world, d asset.Digest) { // one key under two names
			from, to := strings.Index(w.policy, "    - name: ajp"), strings.Index(w.policy, "    - name: maker")
			w.policy = w.policy[:to] + strings.Replace(w.policy[from:to], "ajp", "ada", 1) + w.policy[to:]
			w.policy = strings.Replace(w.policy, "count: 1", "count: 2", 1)
			w.approve(w.ajp, d, nil)
			w.approve(w.ajp, d, nil)
		},
	} {
		t.Run(says, func(t *testing.T) {
			w := newWorld(t)
			attack(w, w.release("1.0.0", &w.maker, nil))
			w.refuses("1.0.0", says)
		})
	}
}

// TestRevokingNeedsAnApprover: a stranger's revocation ends nothing.
func TestRevokingNeedsAnApprover(t *testing.T) {
	w := newWorld(t)
	digest := w.release("1.0.0", &w.maker, nil)
	a := w.approve(w.ajp, digest, nil)
	require.NoError(t, approval.Revoke(
		t.Context(), w.reg, newPerson(t).key, w.reg.RecordRef("bl01t", digest), a.ID, now,
	))
	verdict, err := w.ask("1.0.0")
	require.NoError(t, err)
	require.True(t, verdict.Open)
}

// TestRecordsThatAreNotTrusted: nothing that such a record names is fetched.
func TestRecordsThatAreNotTrusted(t *testing.T) {
	var asked atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(thief.Close)
	elsewhere := strings.TrimPrefix(thief.URL, "http://")
	moveChart := func(r *record.Record) {
		a := &r.Artifacts[0]
		a.Ref = asset.Ref(elsewhere + "/charts/bl01t-a:" + r.Version.OCITag())
		r.Instances[0].Chart = a.Pinned()
	}
	w := newWorld(t)
	stranger := newPerson(t)
	// Seal itself refuses what is elsewhere, so such a record is written by hand.
	put := func(v string, by *person, change func(*record.Record)) {
		w.release(v, nil, nil)
		rec, _, err := w.reg.Record(t.Context(), "bl01t", parse(v))
		require.NoError(t, err)
		change(rec)
		ref, err := w.reg.PushRecord(t.Context(), rec)
		require.NoError(t, err)
		if by != nil {
			require.NoError(t, attest.Signer{Registry: w.reg, By: by.key}.Record(t.Context(), rec))
		}
		from, err := name.NewDigest(string(ref))
		require.NoError(t, err)
		d, err := remote.Get(from)
		require.NoError(t, err)
		to, err := name.NewTag(w.host + "/records/bl01t:" + v)
		require.NoError(t, err)
		require.NoError(t, remote.Tag(to, d))
	}
	put("1.0.0", nil, moveChart)
	w.refuses("1.0.0", "it has no signed https://github.com/tagline-ci/tagline/release/v1; do not promote it")
	put("1.0.1", &stranger, moveChart)
	w.refuses("1.0.1", "no trusted signer signed its")
	put("1.0.2", &w.maker, moveChart)
	w.refuses("1.0.2", "its chart bl01t-a is "+elsewhere)
	require.Zero(t, asked.Load(), "a host that only a record names was asked")
}

// TestAParentOfAStrangerIsRefused: what a release runs must be signed too, by one
// whom the policy trusts with it.
func TestAParentOfAStrangerIsRefused(t *testing.T) {
	w := newWorld(t)
	w.policy = strings.Replace(w.policy, "  - key", "  - assets: [bl01t]\n    key", 1)
	w.release("1.0.0", &w.maker, nil)
	w.refuses("1.0.0", "verifying ioc-simstage 1.0.0: ")
	w.policy = strings.Replace(w.policy, "assets: [bl01t]", "assets: [bl01t, ioc-*]", 1)
	w.refuses("1.0.0", "it has 0 of 1 approvals")
}

// A list of images is none, of which a node takes another than was tested: neither what a
// policy wants signed nor what nobody signs may run one.
func TestAListOfImagesIsNotRun(t *testing.T) {
	for how, unsigned := range map[string]bool{"signed": false, "unsigned": true} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			list, err := random.Index(16, 1, 2)
			require.NoError(t, err)
			h, err := list.Digest()
			require.NoError(t, err)
			ref, err := name.NewDigest(w.host + "/ioc-simstage-runtime@" + h.String())
			require.NoError(t, err)
			require.NoError(t, remote.WriteIndex(ref, list))
			w.image = asset.Digest(h.String())
			if unsigned {
				w.policy = "unsigned: a test without hardware\n"
			}
			w.release("1.0.0", &w.maker, nil)
			w.refuses("1.0.0", "it is a list of images, of which a reader takes whichever it likes")
		})
	}
}
