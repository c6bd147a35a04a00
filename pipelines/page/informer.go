package page

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// mirror is a copy of those objects of a namespace from which its status is
// judged, kept by informers.
type mirror struct {
	n       *cluster.Namespace
	changed func() // an object changed, or whether all can be read

	pods, deployments, ledger, history, acknowledged, policy, releases cache.SharedIndexInformer

	mu       sync.Mutex
	failures map[string]string // by what cannot be read
	away     pods.Away         // nodes, as the cluster said last
	lock     locked            // as the cluster said last
}

// locked is what the cluster said of the beamline's lock.
type locked struct {
	ledger.Holding
	of string // the version of the ledger that the mirror had before it asked
}

// newMirror returns the mirror of a namespace. Nothing is read before run.
func newMirror(n *cluster.Namespace, changed func()) *mirror {
	m := &mirror{n: n, changed: changed, failures: map[string]string{}}
	core := n.Client.CoreV1()
	named := func(name string) metav1.ListOptions {
		return metav1.ListOptions{FieldSelector: "metadata.name=" + name}
	}
	m.pods = inform(m, "pods", core.Pods(n.Name), &corev1.Pod{}, metav1.ListOptions{})
	m.deployments = inform(
		m, "deployments", n.Client.AppsV1().Deployments(n.Name), &appsv1.Deployment{}, metav1.ListOptions{},
	)
	m.ledger = inform(m, "the release", core.ConfigMaps(n.Name), &corev1.ConfigMap{}, named(ledger.Name))
	m.history = inform(m, "the history", core.ConfigMaps(n.Name), &corev1.ConfigMap{}, named(ledger.HistoryName))
	m.acknowledged = inform(
		m, "what was acknowledged", core.ConfigMaps(n.Name), &corev1.ConfigMap{}, named(ledger.AcknowledgedName),
	)
	m.policy = inform(m, "the policy", core.ConfigMaps(n.Name), &corev1.ConfigMap{}, named(ledger.PolicyName))
	secrets := n.Metadata.Resource(corev1.SchemeGroupVersion.WithResource("secrets")).Namespace(n.Name)
	m.releases = inform(
		m, "Helm releases", secrets, &metav1.PartialObjectMetadata{}, metav1.ListOptions{LabelSelector: helm.Stores},
	)
	return m
}

// objects is what clients of every kind of object have.
type objects[L any] interface {
	List(context.Context, metav1.ListOptions) (L, error)
	Watch(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// inform returns an informer of one kind of object, which also notes whether the
// objects can be read.
func inform[L runtime.Object](
	m *mirror, what string, api objects[L], object runtime.Object, wanted metav1.ListOptions,
) cache.SharedIndexInformer {
	narrow := func(o metav1.ListOptions) metav1.ListOptions {
		o.FieldSelector, o.LabelSelector = wanted.FieldSelector, wanted.LabelSelector
		return o
	}
	lists := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			list, err := listing(ctx, api.List, narrow(o))
			m.note(ctx, what, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			stream, err := watching(ctx, api.Watch, narrow(o))
			m.note(ctx, what, err)
			return stream, err
		},
	}
	informer := cache.NewSharedIndexInformer(
		cache.ToListWatcherWithWatchListSemantics(lists, m.n.Client), object, 0, cache.Indexers{})
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{ // fails only once it is stopped
		AddFunc:    func(any) { m.changed() },
		UpdateFunc: func(any, any) { m.changed() },
		DeleteFunc: func(any) { m.changed() },
	})
	return informer
}

// listing lists objects, unless the cluster takes too long.
func listing[L runtime.Object](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), o metav1.ListOptions,
) (runtime.Object, error) {
	soon, cancel := context.WithTimeoutCause(ctx, listWithin, errNoAnswer)
	defer cancel()
	objects, err := list(soon, o)
	return objects, answered(soon, err)
}

// watching begins to watch objects, unless the cluster takes too long to begin.
func watching(
	ctx context.Context, begin func(context.Context, metav1.ListOptions) (watch.Interface, error),
	o metav1.ListOptions,
) (watch.Interface, error) {
	open, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(listWithin, func() { cancel(errNoAnswer) })
	stream, err := begin(open, o)
	late.Stop()
	if err != nil {
		defer cancel(nil)
		return nil, answered(open, err)
	}
	return watched{stream, func() { cancel(nil) }}, nil
}

// watched is a watch that lets its context go when it ends.
type watched struct {
	watch.Interface
	release func()
}

// Stop ends the watch.
func (w watched) Stop() {
	w.release()
	w.Interface.Stop()
}

// errNoAnswer is the error of a request that the cluster took.
var errNoAnswer = fmt.Errorf("the cluster took the request, and did not answer it within %s", listWithin)

// answered returns an error of a request, which is errNoAnswer where its context ended
// for that.
func answered(ctx context.Context, err error) error {
	if err != nil && context.Cause(ctx) == errNoAnswer {
		return errNoAnswer
	}
	return err
}

// run keeps the mirror true until ctx ends.
func (m *mirror) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, informer := range m.informers() {
		all.Go(func() { informer.RunWithContext(ctx) })
	}
	all.Wait()
}

func (m *mirror) informers() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{
		m.pods, m.deployments, m.ledger, m.history, m.acknowledged, m.policy, m.releases,
	}
}

// note notes whether something can be read.
func (m *mirror) note(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	text := ""
	if err != nil {
		text, _, _ = strings.Cut("reading "+what+": "+err.Error(), "\n")
	}
	if apierrors.IsForbidden(err) {
		text += "; bind the role tagline-looking of namespace " + m.n.Name + " to the user that serves the page"
	}
	m.mu.Lock()
	before := m.failures[what]
	if m.failures[what] = text; text == "" {
		delete(m.failures, what)
	}
	m.mu.Unlock()
	if text != before {
		m.changed()
	}
}

// lookAtNodes finds out which nodes are gone. There is no informer of them: each would
// hold all nodes of the cluster, and only those of IOCs that are not ready matter.
func (m *mirror) lookAtNodes(ctx context.Context) {
	look, cancel := context.WithTimeout(ctx, nodesWithin)
	defer cancel()
	away, err := pods.NodesAway(look, m.n, items[corev1.Pod](m.pods))
	m.note(ctx, "the nodes", err)
	if err != nil {
		return
	}
	m.mu.Lock()
	before := m.away
	m.away = away
	m.mu.Unlock()
	if !maps.Equal(before.Gone, away.Gone) || !maps.Equal(before.Silent, away.Silent) {
		m.changed()
	}
}

// lookAtLock finds out who changes the beamline. There is no informer of the lock, which its
// run renews every two seconds: whoever watches would judge the beamline anew as often.
//
// That nobody has the lock is believed once it was so for one version of the ledger twice: a
// run that begins says so in the lock and then in the ledger, and one that ends the other
// way round, and else the page would call it killed in between.
func (m *mirror) lookAtLock(ctx context.Context) {
	look, cancel := context.WithTimeout(ctx, beatWithin)
	defer cancel()
	next := locked{of: m.ledgerVersion()}
	var err error
	if next.Holding, err = ledger.Holder(look, m.n); err != nil {
		return // the beat tells, or whoever looks for the rest
	}
	m.mu.Lock()
	before := m.lock
	if next.Run == "" && (before.Run != "" || before.of != next.of) {
		next.Known = false
	}
	m.lock = next
	m.mu.Unlock()
	if before.Holding != next.Holding {
		m.changed()
	}
}

// ledgerVersion returns what changes with the ledger; empty where there is none.
func (m *mirror) ledgerVersion() string {
	for _, cm := range items[corev1.ConfigMap](m.ledger) {
		if cm.Name == ledger.Name {
			return cm.ResourceVersion
		}
	}
	return ""
}

// failed returns why the mirror may not be true; empty when it is.
func (m *mirror) failed() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(m.failures)) {
		return m.failures[what] // the others have the same cause, as a rule
	}
	return ""
}

// whole reports whether everything was read once.
func (m *mirror) whole() bool {
	return !slices.ContainsFunc(m.informers(), func(i cache.SharedIndexInformer) bool { return !i.HasSynced() })
}

// facts returns what the namespace holds, as status.Read would read it.
func (m *mirror) facts() (status.Facts, error) {
	f := status.Facts{
		Ledger: &ledger.Ledger{}, History: helm.Revisions(items[metav1.PartialObjectMetadata](m.releases)),
	}
	version := m.ledgerVersion()
	m.mu.Lock()
	away, lock := m.away, m.lock
	m.mu.Unlock()
	if f.Lock = lock.Holding; lock.Run == "" && lock.of != version {
		f.Lock.Known = false
	}
	f.States, f.Strays = pods.Describe(items[appsv1.Deployment](m.deployments), items[corev1.Pod](m.pods), away)
	slices.Sort(f.Strays)
	var err error
	for _, cm := range items[corev1.ConfigMap](m.ledger) {
		if cm.Name == ledger.Name { // a stand-in for the cluster may not know field selectors
			f.Ledger, err = ledger.Parse(m.n, &cm)
		}
	}
	for _, cm := range items[corev1.ConfigMap](m.acknowledged) {
		if cm.Name == ledger.AcknowledgedName {
			f.Acknowledged = ledger.ParseAcknowledged(m.n, &cm)
		}
	}
	return f, err
}

// promoted returns how the version that runs came to run; nothing where the history does
// not say.
func (m *mirror) promoted(version string) promoted {
	for _, cm := range items[corev1.ConfigMap](m.history) {
		if cm.Name != ledger.HistoryName {
			continue
		}
		entries, err := ledger.ParseEntries(m.n, &cm)
		if err != nil {
			return promoted{}
		}
		for _, e := range entries {
			if (e.Did == "promote" || e.Did == "rollback") && e.Failed == "" && e.Version == version {
				return promoted{By: e.By, Approved: strings.Join(e.Approvals, ", "), Override: e.Override}
			}
		}
	}
	return promoted{}
}

// rules returns the beamline's policy: the former one where it did not change, nil where
// there is none that can be read.
func (m *mirror) rules(former rules) rules {
	for _, cm := range items[corev1.ConfigMap](m.policy) {
		if cm.Name != ledger.PolicyName {
			continue
		}
		text := ledger.PolicyText(m.n, &cm)
		if text == former.text {
			return former
		}
		p, err := policy.Read("the policy of "+m.n.Beamline, []byte(text))
		if err != nil {
			return rules{text: text} // whoever promotes is told
		}
		return rules{text, p}
	}
	return rules{}
}

// generation returns the number of the instance's Deployment, which changes with
// what it asks for; 0 when there is none.
func (m *mirror) generation(instance string) int64 {
	object, found, err := m.deployments.GetStore().GetByKey(m.n.Name + "/" + instance)
	if err != nil || !found {
		return 0
	}
	return object.(*appsv1.Deployment).Generation
}

// items returns what an informer holds.
func items[T any](informer cache.SharedIndexInformer) []T {
	stored := informer.GetStore().List()
	all := make([]T, 0, len(stored))
	for _, object := range stored {
		if item, ok := object.(*T); ok {
			all = append(all, *item)
		}
	}
	return all
}
