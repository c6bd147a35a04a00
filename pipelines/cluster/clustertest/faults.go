package clustertest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A Fault is what a server does with requests for one resource of one namespace.
type Fault string

// The faults of an API server of which a person hears at night.
const (
	Broken    Fault = "broken"    // it answers 500
	Hanging   Fault = "hanging"   // it takes the request, and never answers
	Forbidden Fault = "forbidden" // it answers 403
)

// Fail makes the server treat the requests for a resource of one namespace so, and ends
// the watches, so that whoever watches asks again. An empty fault mends it.
func (s *Server) Fail(namespace, resource string, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[place{resource: resource, namespace: namespace}] = fault
	s.tell()
}

// fails answers a request as a fault has it, and reports whether there is one.
func (s *Server) fails(w http.ResponseWriter, r *http.Request, at place) bool {
	s.mu.Lock()
	fault := s.faults[place{resource: at.resource, namespace: at.namespace}]
	s.mu.Unlock()
	switch fault {
	case Broken:
		fail(w, apierrors.NewInternalError(errors.New("etcdserver: request timed out")))
	case Forbidden:
		fail(w, apierrors.NewForbidden(at.group(), at.name, errors.New("not yours")))
	case Hanging:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
	default:
		return false
	}
	return true
}

// tell ends every watch.
func (s *Server) tell() {
	s.changed++
	close(s.news)
	s.news = make(chan struct{})
}

// watch ends a client's watch when something changed, as if what it knows were too old: it
// lists everything again. What a watch begins with is listed too.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		fail(w, apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil))
		return
	}
	s.mu.Lock()
	news, now := s.news, strconv.Itoa(s.changed)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = http.NewResponseController(w).Flush() // the client may have gone
	if r.URL.Query().Get("resourceVersion") == now {
		select {
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		case <-news:
		}
	}
	old := apierrors.NewResourceExpired("something changed").Status()
	old.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "ERROR", "object": old})
}
