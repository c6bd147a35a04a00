package operate

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// shift is a beamline in a cluster in memory. Its IOCs a and b were deployed from
// charts as a release has them, and run on clustertest.Node.
type shift struct {
	*clustertest.Server
	Order
	t      *testing.T
	before int // how much was changed before the order
}

// onShift returns a beamline with what change sets beside its release.
func onShift(t *testing.T, change ...func(*ledger.Ledger)) *shift {
	t.Helper()
	server := clustertest.New(t, aNode(clustertest.Node), aNode("ws012"), aNode("ws013"))
	s := &shift{Server: server, t: t}
	s.Order = Order{
		Cluster: server.Namespace(t, "bl01t"), Reason: "it hangs", Holder: "me", Timeout: time.Minute,
	}
	l := running()
	for _, set := range change {
		set(l)
	}
	for _, inst := range l.Current().Record.Instances {
		require.NoError(t, helm.Deploy(
			t.Context(), s.Cluster, *l.Current(), inst, packaged(t, inst), l.Overrides[inst.Name],
		))
	}
	require.NoError(t, l.Save(t.Context(), s.Cluster))
	s.before = len(s.Server.Changes())
	return s
}

// packaged is the chart of an instance with an autosave volume.
func packaged(t *testing.T, inst record.Instance) []byte {
	t.Helper()
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(t, err)
	tgz, err := lib.Package(&beamline.Beamline{Name: "bl01t", Namespace: "bl01t"}, &beamline.Instance{
		Name: inst.Name, Image: inst.IOC, Folder: "iocs/" + inst.Name, File: "iocs/" + inst.Name + "/values.yaml",
		Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
		Values: beamline.Values{ProbePV: "X", Memory: "32Mi", Autosave: "1Mi"},
	}, string(inst.Image), "1.0.0")
	require.NoError(t, err)
	return tgz
}

func aNode(name string) *corev1.Node {
	node := thatIs(name, corev1.ConditionTrue)
	return &node
}

// stopped is what Stop sets for IOC a.
func stopped(l *ledger.Ledger) {
	l.Override("a", ledger.Override{Stopped: &ledger.Note{By: "ada", Reason: "vacuum work"}})
}

// movedTo is what Move sets for IOC a.
func movedTo(node string) func(*ledger.Ledger) {
	return func(l *ledger.Ledger) {
		l.Override("a", ledger.Override{Stopped: l.Overrides["a"].Stopped, Node: node})
	}
}

// changes returns what the order has changed.
func (s *shift) changes() []string { return s.Server.Changes()[s.before:] }

// ledger reads what the cluster remembers.
func (s *shift) ledger() *ledger.Ledger {
	s.t.Helper()
	l, err := ledger.Read(s.t.Context(), s.Cluster)
	require.NoError(s.t, err)
	return l
}

// last is the newest entry of the history, without its time.
func (s *shift) last() ledger.Entry {
	s.t.Helper()
	entries, err := ledger.Entries(s.t.Context(), s.Cluster)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, entries)
	entries[0].Time = time.Time{}
	return entries[0]
}

// state is what an instance does.
func (s *shift) state(instance string) pods.State {
	s.t.Helper()
	states, strays, err := pods.States(s.t.Context(), s.Cluster)
	require.NoError(s.t, err)
	require.Empty(s.t, strays, "nothing is left behind")
	return states[instance]
}

// impatient returns a context that ends when an IOC is waited for that does not get ready,
// once somebody who sees it has done something about it.
func (s *shift) impatient(about ...func()) context.Context {
	ctx, leave := context.WithCancel(s.t.Context())
	s.t.Cleanup(leave)
	return step.WithSink(ctx, func(e step.Event) {
		if ctx.Err() == nil && strings.Contains(e.Line, "its PV does not answer yet") {
			for _, do := range about {
				do()
			}
			leave()
		}
	})
}

func TestStopAndStart(t *testing.T) {
	s := onShift(t)
	other := s.state("b").Pod
	s.Instances = []string{"a"}
	require.NoError(t, Stop(t.Context(), s.Order))
	require.Empty(t, s.state("a").Pod)
	require.Equal(t, other, s.state("b").Pod, "the other is not touched")
	note := s.ledger().Overrides["a"].Stopped
	require.Equal(t, []string{"me", "it hangs"}, []string{note.By, note.Reason})
	require.Equal(t, ledger.Entry{By: "me", Did: "stop", Instance: "a", Reason: "it hangs"}, s.last())
	require.Equal(
		t, []string{"PUT configmaps/tagline", "PATCH deployments/a", "POST configmaps"}, s.changes(),
		"whoever finds it stopped finds out why, also when this run was killed in between",
	)
	require.NoError(t, Start(t.Context(), s.Order))
	require.True(t, s.state("a").Ready)
	require.Empty(t, s.ledger().Overrides)
	require.Equal(t, "start", s.last().Did)
}

// Starting an IOC leaves it on the node that it was moved to, and one that runs
// alone.
func TestStartKeepsTheNode(t *testing.T) {
	s := onShift(t, stopped, movedTo("ws012"))
	require.Empty(t, s.state("a").Pod)
	other := s.state("b").Pod
	require.NoError(t, Start(t.Context(), s.Order))
	require.Equal(t, "ws012", s.state("a").Node)
	require.Equal(t, other, s.state("b").Pod)
	require.Equal(t, map[string]ledger.Override{"a": {Node: "ws012"}}, s.ledger().Overrides)
	require.Equal(t, ledger.Entry{By: "me", Did: "start", Reason: "it hangs"}, s.last(), "one entry for all of them")
}

func TestRestartReplacesThePod(t *testing.T) {
	s := onShift(t)
	a, b := s.state("a").Pod, s.state("b").Pod
	s.Instances = []string{"b"}
	require.NoError(t, Restart(t.Context(), s.Order))
	require.Equal(t, a, s.state("a").Pod)
	require.NotEqual(t, b, s.state("b").Pod)
	require.True(t, s.state("b").Ready)
}

// A pod that is gone when it is to go is no failure: here it was named twice.
func TestARestartOfAPodThatIsGone(t *testing.T) {
	s := onShift(t)
	s.Instances = []string{"b", "b"}
	require.NoError(t, Restart(t.Context(), s.Order))
	require.True(t, s.state("b").Ready)
}

// An IOC that somebody stopped is not started in passing, nor is another restarted.
func TestRestartRefusesWhatWasStopped(t *testing.T) {
	s := onShift(t, stopped)
	other := s.state("b").Pod
	err := Restart(t.Context(), s.Order)
	require.EqualError(
		t, err, "restarting a: it was stopped by ada: vacuum work; start it: tagline start bl01t a",
	)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Empty(t, s.state("a").Pod)
	require.Equal(t, other, s.state("b").Pod)
	require.Contains(t, s.last().Failed, "it was stopped by ada", "the history says what was tried")
}

// An IOC that does not get ready is told, with its log, and stands in the history.
func TestARestartThatDoesNotGetReadyIsAFailure(t *testing.T) {
	s := onShift(t)
	s.Unready(func(string) bool { return true })
	s.Instances = []string{"a"}
	err := Restart(s.impatient(), s.Order)
	trouble := (*pods.Trouble)(nil)
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, "a: not ready: started, its PV does not answer yet", trouble.Error())
	require.Contains(t, trouble.Evidence(), "the log of a-")
	require.Equal(t, trouble.Error(), s.last().Failed)
}

func TestAnOrderHasItsTime(t *testing.T) {
	s := onShift(t)
	s.Timeout = time.Nanosecond
	require.ErrorContains(t, Restart(t.Context(), s.Order), "context deadline exceeded")
	require.Contains(t, s.last().Failed, "context deadline exceeded", "the history has a time of its own")
}

func TestAnOrderForAnUnknownIOCChangesNothing(t *testing.T) {
	s := onShift(t)
	s.Instances = []string{"a", "nosuch"}
	for name, do := range orders(t) {
		require.ErrorContains(
			t, do(s.Order), "looking for nosuch: bl01t has no such IOC; name one of: a, b", name,
		)
	}
	require.Empty(t, s.changes())
}

// orders are all that can be ordered, by name.
func orders(t *testing.T) map[string]func(Order) error {
	return map[string]func(Order) error{
		"stop":    func(o Order) error { return Stop(t.Context(), o) },
		"start":   func(o Order) error { return Start(t.Context(), o) },
		"restart": func(o Order) error { return Restart(t.Context(), o) },
		"move":    func(o Order) error { return Move(t.Context(), o, "ws012", false) },
		"remove":  func(o Order) error { return Remove(t.Context(), o, true) },
	}
}

// Whoever may only look changes nothing, and is told what was refused: nothing is
// done without the lock.
func TestWhoMayNotLockChangesNothing(t *testing.T) {
	s := onShift(t)
	s.Refuse("POST leases")
	for name, do := range orders(t) {
		err := do(s.Order)
		require.ErrorContains(t, err, "locking beamline bl01t: ", name)
		require.ErrorContains(t, err, "forbidden", name)
		require.Equal(t, diag.Broken, diag.KindOf(err), name)
	}
	require.Empty(t, s.changes())
}

// What the cluster refuses ends the order, and stands in the history.
func TestARefusalOfTheClusterIsRemembered(t *testing.T) {
	for refused, says := range map[string]string{
		"PATCH deployments/a": "scaling a",
		"GET pods":            "listing the pods of namespace bl01t",
	} {
		s := onShift(t)
		s.Refuse(refused)
		require.ErrorContains(t, Stop(t.Context(), s.Order), says)
		require.Contains(t, s.last().Failed, says)
		s.Refuse("")
		require.NoError(t, Stop(t.Context(), s.Order), "the same command goes on")
		require.Empty(t, s.Names("pods"))
	}
	s := onShift(t)
	s.Refuse("PUT configmaps/tagline")
	require.ErrorContains(t, Stop(t.Context(), s.Order), "writing what runs in namespace bl01t")
	require.Len(t, s.Names("pods"), 2, "what is not written down is not stopped")
	s.Refuse("DELETE pods/")
	require.ErrorContains(t, Restart(t.Context(), s.Order), "stopping pod a-")
	s.Refuse("PUT configmaps/tagline-history")
	was := strings.Join(s.Names("pods"), " ")
	require.NoError(t, Restart(t.Context(), s.Order), "a history that cannot be written changes nothing")
	require.NotEqual(t, was, strings.Join(s.Names("pods"), " "))
}
