package cluster

import (
	"context"
	"errors"
	"fmt"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// reasonRestarted is what a pod says until its kubelet has looked at it again.
const reasonRestarted = "NodeRestarted"

// forgetReadiness marks every pod of the first node as not ready: the cluster remembers
// what they were when the node stopped, and until the kubelet has started them
// again it would answer that they run.
func forgetReadiness(ctx context.Context, client kubernetes.Interface) error {
	pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{FieldSelector: "spec.nodeName=" + FirstName})
	if err != nil {
		return fmt.Errorf("listing the pods of the node: %w", err)
	}
	var errs []error
	for _, p := range pods.Items {
		if !unready(&p.Status) {
			continue
		}
		if _, err := client.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, &p, meta.UpdateOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("marking pod %s/%s as not ready: %w", p.Namespace, p.Name, err))
		}
	}
	return errors.Join(errs...)
}

// unready changes a status to not ready; false when it was so already.
func unready(s *core.PodStatus) bool {
	changed := false
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if (c.Type == core.PodReady || c.Type == core.ContainersReady) && c.Status == core.ConditionTrue {
			c.Status, c.Reason, c.LastTransitionTime = core.ConditionFalse, reasonRestarted, meta.Now()
			changed = true
		}
	}
	for i := range s.ContainerStatuses {
		changed = changed || s.ContainerStatuses[i].Ready
		s.ContainerStatuses[i].Ready = false
	}
	return changed
}
