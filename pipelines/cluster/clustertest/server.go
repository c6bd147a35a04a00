// Package clustertest is a Kubernetes API server in memory, for tests. Tagline's
// own client and Helm reach it over HTTP, as they reach a real one.
package clustertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// Server keeps objects. A Deployment in it has its pod, and loses it, at once: see
// Unready for pods that do not get ready, and Lose for nodes that fail. It is safe for
// use by several goroutines.
type Server struct {
	http *httptest.Server

	mu      sync.Mutex
	objects map[string]object // by place
	changed int               // how often something was changed: the newest resourceVersion
	refused string
	unready func(node string) bool
	lost    string // the node that is gone
	changes []string
	faults  map[place]Fault // of lists: without a name
	news    chan struct{}   // closed when something changes
	closed  chan struct{}   // closed when the server ends
}

// object is an object of Kubernetes.
type object interface {
	runtime.Object
	metav1.Object
}

// Start starts a server that has objects. Close ends it. It panics where it does
// not know the kind of one.
func Start(objects ...runtime.Object) *Server {
	s := &Server{
		objects: map[string]object{}, unready: func(string) bool { return false }, faults: map[place]Fault{},
		news: make(chan struct{}), closed: make(chan struct{}),
	}
	for _, o := range objects {
		resource, ok := resourceOf(o)
		if !ok {
			panic(fmt.Sprintf("%T is no kind that the server knows", o))
		}
		added := o.(object)
		s.keep(place{resource, added.GetNamespace(), added.GetName()}, added)
	}
	s.http = httptest.NewServer(s)
	return s
}

// Close ends the server.
func (s *Server) Close() {
	close(s.closed)
	s.http.Close()
}

// New starts a server that has objects. It ends with the test.
func New(t *testing.T, objects ...runtime.Object) *Server {
	t.Helper()
	s := Start(objects...)
	t.Cleanup(s.Close)
	return s
}

// Kubeconfig returns the text of a kubeconfig whose one context, x, is the server.
func (s *Server) Kubeconfig() string {
	return "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n" +
		"clusters: [{name: x, cluster: {server: '" + s.http.URL + "'}}]\n"
}

// Namespace opens a beamline's namespace, of the same name, with Tagline's client.
func (s *Server) Namespace(t *testing.T, beamline string) *cluster.Namespace {
	t.Helper()
	n, err := cluster.Open(s.Access(t), beamline, beamline)
	require.NoError(t, err)
	return n
}

// Access returns the way to the server by a kubeconfig in a folder of the test.
func (s *Server) Access(t *testing.T) cluster.Access {
	t.Helper()
	file := t.TempDir() + "/kubeconfig"
	require.NoError(t, os.WriteFile(file, []byte(s.Kubeconfig()), 0o600))
	return cluster.Access{Kubeconfig: file}
}

// IOC returns the Deployment of IOC a in a namespace, as far as the server makes a pod of
// it.
func IOC(namespace string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{},
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "ioc"}}}},
		},
	}
}

// Refuse makes the server forbid requests that begin so: "PATCH deployments/a".
// An empty request lifts that.
func (s *Server) Refuse(request string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = request
}

// Unready makes pods on some nodes start and not get ready.
func (s *Server) Unready(on func(node string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unready = on
}

// Lose makes the cluster hear nothing of a node any more: its pods are not ready, and
// neither end nor make room for others. An empty name brings it back; what was to end
// does then.
func (s *Server) Lose(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all(place{resource: "nodes"}) {
		switch n := o.(*corev1.Node); n.Name {
		case node:
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}
		case s.lost:
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		}
	}
	s.lost = node
	s.settle()
	s.tell()
}

// Changes returns the requests that asked for a change, without those for leases,
// which renew locks: "PATCH deployments/a".
func (s *Server) Changes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changes)
}

// Names returns the names of the objects of a resource ("pods"), sorted.
func (s *Server) Names(resource string) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.all(place{resource: resource}) {
		names = append(names, o.GetName())
	}
	return names
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text := discovery(r.URL.Path); text != nil {
		answer(w, http.StatusOK, text)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	at := placeOf(r.URL.Path)
	if s.fails(w, r, at) {
		return
	}
	if r.URL.Query().Get("watch") == "true" {
		s.watch(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := r.Method + " " + at.resource + "/" + at.name
	if r.Method != http.MethodGet && at.resource != "leases" {
		s.changes = append(s.changes, strings.TrimSuffix(asked, "/"))
	}
	if s.refused != "" && strings.HasPrefix(asked, s.refused) {
		fail(w, apierrors.NewForbidden(at.group(), at.name, fmt.Errorf("not yours")))
		return
	}
	found, err := s.serve(r, at, body)
	if err != nil {
		fail(w, err)
		return
	}
	if r.Method != http.MethodGet && at.resource != "leases" {
		s.tell()
	}
	answer(w, http.StatusOK, found)
}

// fail answers with an error as Kubernetes does.
func fail(w http.ResponseWriter, err error) {
	status, ok := err.(apierrors.APIStatus)
	if !ok {
		status = apierrors.NewInternalError(err)
	}
	text := status.Status()
	text.Kind, text.APIVersion = "Status", "v1"
	answer(w, int(text.Code), text)
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}
