package clustertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

// place is where an object is. Without a name it is a list, without a namespace
// one of all namespaces.
type place struct{ resource, namespace, name string }

func (p place) key() string { return p.resource + "/" + p.namespace + "/" + p.name }

func (p place) group() schema.GroupResource {
	return schema.GroupResource{Group: kinds[p.resource].Group, Resource: p.resource}
}

// placeOf reads the path of a request. What comes after an object's name, as in
// pods/a/log, is left out.
func placeOf(path string) (p place) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	skip := 2 // api/v1
	if parts[0] == "apis" {
		skip = 3
	}
	parts = parts[min(skip, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		p.namespace, parts = parts[1], parts[2:]
	}
	parts = append(parts, "", "")
	p.resource, p.name = parts[0], parts[1]
	return p
}

// serve does what a request asks for and returns the object or list to answer with.
func (s *Server) serve(r *http.Request, at place, body []byte) (any, error) {
	found, there := s.objects[at.key()]
	switch {
	case r.Method == http.MethodPost:
		return s.create(at, body)
	case at.name == "":
		return s.list(at, r)
	case !there:
		return nil, apierrors.NewNotFound(at.group(), at.name)
	case strings.HasSuffix(r.URL.Path, "/log"):
		return s.log(found)
	}
	switch r.Method {
	case http.MethodPut:
		return s.replace(at, found, body)
	case http.MethodPatch:
		return s.patch(at, found, types.PatchType(r.Header.Get("Content-Type")), body)
	case http.MethodDelete:
		if p, ok := found.(*corev1.Pod); ok && !atOnce(body) {
			s.drop(p)
		} else {
			delete(s.objects, at.key())
		}
		s.settle()
	}
	return found, nil
}

// keep stores an object as changed now, and lets the cluster follow.
func (s *Server) keep(at place, o object) {
	s.changed++
	o.SetNamespace(at.namespace)
	o.SetResourceVersion(strconv.Itoa(s.changed))
	if o.GetUID() == "" {
		o.SetUID(types.UID("uid-" + strconv.Itoa(s.changed)))
	}
	o.GetObjectKind().SetGroupVersionKind(kinds[at.resource])
	s.objects[at.key()] = o
	s.settle()
}

func (s *Server) create(at place, body []byte) (object, error) {
	o, err := decode(body)
	if err != nil {
		return nil, err
	}
	at.name = o.GetName()
	if s.objects[at.key()] != nil {
		return nil, apierrors.NewAlreadyExists(at.group(), at.name)
	}
	s.keep(at, o)
	return o, nil
}

func (s *Server) replace(at place, was object, body []byte) (object, error) {
	o, err := decode(body)
	if err != nil {
		return nil, err
	}
	if seen := o.GetResourceVersion(); seen != "" && seen != was.GetResourceVersion() {
		return nil, apierrors.NewConflict(at.group(), at.name, errors.New("it was changed meanwhile"))
	}
	s.keep(at, o)
	return o, nil
}

func (s *Server) patch(at place, was object, how types.PatchType, patch []byte) (object, error) {
	if how != types.StrategicMergePatchType {
		return nil, apierrors.NewBadRequest("the server knows no patch of type " + string(how))
	}
	empty, err := scheme.Scheme.New(kinds[at.resource])
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(was)
	if err != nil {
		return nil, err
	}
	if text, err = strategicpatch.StrategicMergePatch(text, patch, empty); err != nil {
		return nil, err
	}
	o, err := decode(text)
	if err != nil {
		return nil, err
	}
	s.keep(at, o)
	return o, nil
}

// log returns what a pod wrote, which its node is asked for: of one that is gone an API
// server repeats what it asked, and says why there was no answer.
func (s *Server) log(of object) (any, error) {
	p, ok := of.(*corev1.Pod)
	if !ok || !s.onLost(p) {
		return "the log of " + of.GetName(), nil
	}
	return nil, &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusInternalServerError,
		Message: fmt.Sprintf(
			"Get %q: dial tcp 10.1.2.3:10250: connect: no route to host",
			"https://"+p.Spec.NodeName+":10250/containerLogs/"+p.Namespace+"/"+p.Name+"/ioc",
		),
	}}
}

// atOnce reports whether a request to delete leaves no time to end.
func atOnce(body []byte) bool {
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	options, ok := o.(*metav1.DeleteOptions)
	return err == nil && ok && options.GracePeriodSeconds != nil && *options.GracePeriodSeconds == 0
}

// decode reads an object as clients send it: as JSON, or as protobuf.
func decode(body []byte) (object, error) {
	o, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return o.(object), nil
}

// list answers with the objects that a request selects, or with their metadata
// where it asks for no more.
func (s *Server) list(at place, r *http.Request) (any, error) {
	byLabel, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	byField, err := fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	metadata := strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList")
	items := []any{}
	for _, o := range s.all(at) {
		switch {
		case !byLabel.Matches(labels.Set(o.GetLabels())) || !byField.Matches(fields.Set{"metadata.name": o.GetName()}):
		case metadata:
			items = append(items, map[string]any{"metadata": metaOf(o)})
		default:
			items = append(items, o)
		}
	}
	kind := kinds[at.resource]
	list := map[string]any{
		"kind": kind.Kind + "List", "apiVersion": kind.GroupVersion().String(), "items": items,
		"metadata": map[string]string{"resourceVersion": strconv.Itoa(s.changed)},
	}
	if metadata {
		list["kind"], list["apiVersion"] = "PartialObjectMetadataList", "meta.k8s.io/v1"
	}
	return list, nil
}

func metaOf(o object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: o.GetName(), Namespace: o.GetNamespace(), Labels: o.GetLabels(), UID: o.GetUID(),
		ResourceVersion: o.GetResourceVersion(), CreationTimestamp: o.GetCreationTimestamp(),
	}
}

// all returns the objects of a resource, in one namespace or in all, sorted by name.
func (s *Server) all(at place) (found []object) {
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		o := s.objects[key]
		if strings.HasPrefix(key, at.resource+"/") && (at.namespace == "" || at.namespace == o.GetNamespace()) {
			found = append(found, o)
		}
	}
	return found
}
