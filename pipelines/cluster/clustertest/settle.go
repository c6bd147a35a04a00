package clustertest

import (
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node is where pods run that ask for no node.
const Node = "ws011"

// madeFrom is the annotation of a pod that holds the template it was made from.
const madeFrom = "clustertest/template"

// settle does what a cluster does of itself after a change: a Deployment has a pod
// of its template, or none where it has no replicas, and a pod that is to fetch an
// image has fetched it.
func (s *Server) settle() {
	for _, o := range s.all(place{resource: "pods"}) {
		p := o.(*corev1.Pod)
		switch gone := s.onLost(p); {
		case gone && len(p.Status.ContainerStatuses) > 0 && !p.Status.ContainerStatuses[0].Ready:
			p.Status.Conditions = deadConditions
		case gone:
			p.Status.Conditions = lostConditions
		case p.DeletionTimestamp != nil:
			s.drop(p)
		default:
			p.Status.Conditions = nil
		}
	}
	for _, o := range s.all(place{resource: "deployments"}) {
		d := o.(*appsv1.Deployment)
		ready := int32(0)
		if p := s.podOf(d); p != nil && p.Status.ContainerStatuses[0].Ready && !s.onLost(p) {
			ready = 1
		}
		d.Status.UpdatedReplicas, d.Status.ReadyReplicas = 1, ready
	}
	for _, o := range s.all(place{resource: "pods"}) {
		p := o.(*corev1.Pod)
		if owner, owned := ownerOf(p); owned && s.objects[place{"deployments", p.Namespace, owner}.key()] == nil {
			s.drop(p)
		}
		if len(p.Status.ContainerStatuses) == 0 { // made by a client
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{
				ImageID: "fetched", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
			}}
		}
	}
}

// podOf returns the pod of a Deployment, new where it had none or an older one, nil
// where it wants none.
func (s *Server) podOf(d *appsv1.Deployment) *corev1.Pod {
	text, err := json.Marshal(d.Spec.Template)
	if err != nil {
		panic(err) // it came from JSON
	}
	wants := d.Spec.Replicas == nil || *d.Spec.Replicas > 0
	for _, o := range s.all(place{resource: "pods", namespace: d.Namespace}) {
		p := o.(*corev1.Pod)
		if owner, _ := ownerOf(p); owner != d.Name {
			continue
		}
		if wants && p.Annotations[madeFrom] == string(text) {
			return p
		}
		if s.drop(p); s.onLost(p) {
			return p // as Recreate has it
		}
	}
	if !wants {
		return nil
	}
	s.changed++
	p := s.newPod(d, string(text))
	s.objects[place{"pods", p.Namespace, p.Name}.key()] = p
	return p
}

// drop ends a pod; one of the node that is gone is to end, and does not.
func (s *Server) drop(p *corev1.Pod) {
	if s.onLost(p) {
		now := metav1.Now()
		p.DeletionTimestamp = &now
		return
	}
	delete(s.objects, place{"pods", p.Namespace, p.Name}.key())
}

// lostConditions are what a cluster leaves of what a pod said, once its node is gone.
var lostConditions = []corev1.PodCondition{
	{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
	{Type: corev1.PodReady, Status: corev1.ConditionFalse},
}

// deadConditions are what a pod said that was not ready when its node went: the cluster
// leaves them.
var deadConditions = []corev1.PodCondition{
	{Type: corev1.ContainersReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady"},
	{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady"},
}

func (s *Server) onLost(p *corev1.Pod) bool { return s.lost != "" && p.Spec.NodeName == s.lost }

// newPod returns a pod of a Deployment whose containers have started.
func (s *Server) newPod(d *appsv1.Deployment, template string) *corev1.Pod {
	p := &corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s-%d", d.Name, s.changed), Namespace: d.Namespace, Labels: d.Spec.Template.Labels,
			Annotations:     map[string]string{madeFrom: template},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: d.Name + "-replicas"}},
		},
		Spec: *d.Spec.Template.Spec.DeepCopy(),
	}
	p.UID = types.UID("uid-" + p.Name)
	p.Spec.NodeName = Node
	if node := p.Spec.NodeSelector["kubernetes.io/hostname"]; node != "" {
		p.Spec.NodeName = node
	}
	for _, c := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Ready: !s.unready(p.Spec.NodeName), ImageID: c.Image,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		})
	}
	return p
}

// ownerOf returns the Deployment that a pod is of; owned is false where it is of none.
func ownerOf(p *corev1.Pod) (name string, owned bool) {
	if len(p.OwnerReferences) == 0 {
		return "", false
	}
	return strings.CutSuffix(p.OwnerReferences[0].Name, "-replicas")
}
