package gate

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// chart pushes the chart of bl01t-a, with the world's own files in it.
func (w *world) chart(v string, image asset.Ref) asset.Digest {
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(w, err)
	inst := &beamline.Instance{
		Name: "bl01t-a", Folder: "a", File: "a/values.yaml", Chart: w.own != nil, Own: w.own,
		Image:  asset.Pin{Asset: "ioc-simstage", Version: parse("1.0.0")},
		Values: beamline.Values{ProbePV: "X"}, Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
	}
	tgz, err := lib.Package(&beamline.Beamline{Name: "bl01t", Namespace: "bl01t"}, inst, string(image), v)
	require.NoError(w, err)
	pushed, err := w.reg.PushChart(w.Context(), tgz)
	require.NoError(w, err)
	return pushed.Digest
}

// brings gives bl01t-a a template of its own.
func (w *world) brings(template string) {
	w.own = map[string][]byte{"Chart.yaml": []byte("description: x\n"), "templates/own.yaml": []byte(template)}
}

const (
	service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {clusterIP: None}\n"
	hook    = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: {helm.sh/hook: pre-install}}\n"
	agreed  = "consents:\n  - {charts: [bl01t-a], to: [kind Service, hook pre-install]}\n"
)

// TestOwnChartsNeedConsent: what a chart brings beyond an IOC is refused with what and
// how to mend, unless the policy consents to it by name.
func TestOwnChartsNeedConsent(t *testing.T) {
	w := newWorld(t)
	w.brings(service + "---\n" + hook)
	digest := w.release("1.0.0", &w.maker, nil)
	w.approve(w.ajp, digest, nil)
	for says, consents := range map[string]string{
		`the chart of bl01t-a needs what the policy does not consent to: "hook pre-install", "kind Service"; ` +
			`take that out of the chart, or have it added to consents of the policy: ` +
			`{charts: [bl01t-a], to: ["hook pre-install", "kind Service"]}`: "",
		`does not consent to: "hook pre-install";`: "consents:\n  - {charts: [bl01t-*], to: [kind Service]}\n",
		`consent to: "kind Service"; `:             "consents:\n  - {charts: [bl01t-a], to: [hook pre-install, kind]}\n",
		`to: "hook pre-install", "kind Service"; `: strings.Replace(agreed, "bl01t-a", "bl01t-b", 1),
	} {
		given := w.policy
		w.policy += consents
		w.approve(w.ajp, digest, nil)
		w.refuses("1.0.0", says)
		w.policy = given
	}
	w.policy += agreed
	w.approve(w.ajp, digest, nil)
	verdict, err := w.ask("1.0.0")
	require.NoError(t, err)
	pass, err := verdict.Pass()
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"bl01t-a": {"hook pre-install", "kind Service"}}, pass.Needs())
	require.Contains(t, verdict.Reasons, Reason{
		Rule: Charts, OK: true,
		Why: "the policy consents to what the chart of bl01t-a needs: hook pre-install, kind Service",
	})
}

// An IOC's own chart that asks for no more than others is not spoken of.
func TestAnOrdinaryChartNeedsNoConsent(t *testing.T) {
	w := newWorld(t)
	w.brings("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
	w.approve(w.ajp, w.release("1.0.0", &w.maker, nil), nil)
	verdict, err := w.ask("1.0.0")
	require.NoError(t, err)
	require.True(t, verdict.Open)
	require.Empty(t, verdict.Needs)
	for _, r := range verdict.Reasons {
		require.NotEqual(t, Charts, r.Rule)
	}
}

// TestNobodyGetsPastConsent tries each way to be let in without consent.
func TestNobodyGetsPastConsent(t *testing.T) {
	const says = `does not consent to: "kind Service"`
	t.Run("an override", func(t *testing.T) {
		w := newWorld(t)
		w.policy += "override: [ajp]\n"
		w.brings(service)
		w.approve(w.ajp, w.release("1.0.0", &w.maker, nil), func(a *approval.Approval) { a.Override = "in a hurry" })
		w.refuses("1.0.0", says)
	})
	t.Run("a tag that names a harmless chart", func(t *testing.T) { // while the record names another digest
		w := newWorld(t)
		w.brings(service)
		w.approve(w.ajp, w.release("1.0.0", &w.maker, nil), nil)
		w.own = nil
		harmless, err := name.NewDigest(w.host + "/charts/bl01t-a@" + string(w.chart("1.0.0", "x@"+imageDigest)))
		require.NoError(t, err)
		d, err := remote.Get(harmless)
		require.NoError(t, err)
		tag, err := name.NewTag(w.host + "/charts/bl01t-a:1.0.0")
		require.NoError(t, err)
		require.NoError(t, remote.Tag(tag, d))
		w.refuses("1.0.0", says)
	})
	t.Run("a consent that was withdrawn", func(t *testing.T) {
		w := newWorld(t)
		w.brings(service)
		w.policy += agreed
		w.approve(w.ajp, w.release("1.0.0", &w.maker, nil), nil)
		verdict, err := w.ask("1.0.0")
		require.NoError(t, err)
		require.True(t, verdict.Open)
		w.policy = strings.TrimSuffix(w.policy, agreed)
		w.refuses("1.0.0", says)
	})
	t.Run("a template that spares first releases", func(t *testing.T) {
		w := newWorld(t)
		w.brings("{{ if .Release.IsUpgrade }}\n" + service + "{{ end }}")
		w.approve(w.ajp, w.release("1.0.0", &w.maker, nil), nil)
		w.refuses("1.0.0", says)
	})
	t.Run("a chart that can't be read", func(t *testing.T) {
		w := newWorld(t)
		digest := w.release("1.0.0", &w.maker, func(r *record.Record) {
			d := w.push("charts/bl01t-a")
			r.Artifacts[0].Digest, r.Instances[0].Chart = d, w.reg.At("charts/bl01t-a", d)
		})
		w.approve(w.ajp, digest, nil)
		w.refuses("1.0.0", "charts/bl01t-a")
	})
}

// TestGoingBackNeedsConsent: a release that the policy consented to once does not run
// again after the consent was withdrawn.
func TestGoingBackNeedsConsent(t *testing.T) {
	w := newWorld(t)
	to := w.ran()
	to.Needs = map[string][]string{"bl01t-a": {"kind Service"}}
	require.ErrorContains(t, w.mayReturn(to), `rolling back to bl01t 1.0.0: the chart of bl01t-a needs what the policy`)
	w.policy += agreed
	require.NoError(t, w.mayReturn(to))
}

// What was judged can't be changed through the pass.
func TestNeedsArePartOfThePass(t *testing.T) {
	f := good()
	f.Needs = map[string][]string{"bl01t-mo-ioc-01": {"privileged"}}
	f.Policy = &policy.Policy{Consents: []policy.Consent{{Charts: []string{"*"}, To: []string{"privileged"}}}}
	f.Now = now.Add(time.Hour)
	pass, err := Decide(f).Pass()
	require.NoError(t, err)
	pass.Needs()["bl01t-mo-ioc-01"][0] = "root"
	require.Equal(t, f.Needs, pass.Needs())
}
