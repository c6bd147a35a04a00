package pods

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Image is an image that a node must have.
type Image struct {
	Node string
	Ref  string // by digest
}

// labelPull marks the pods of Pull, which are nobody's IOC.
const labelPull = "tagline.pull"

// Pull makes nodes fetch images and returns when they have them, so that an IOC
// that is to be replaced stops only when its new image is there. A node that
// cannot fetch its image is an error. A user who may not make pods pulls
// nothing: the image is then fetched when the new IOC starts.
func Pull(ctx context.Context, n *cluster.Namespace, images []Image) error {
	return step.Each(ctx, 8, images, func(ctx context.Context, image Image) error {
		return step.Run(ctx, "pulling "+image.Ref+" to "+image.Node, func(ctx context.Context) error {
			return pull(ctx, n, image)
		})
	})
}

func pull(ctx context.Context, n *cluster.Namespace, image Image) error {
	client := n.Client.CoreV1().Pods(n.Name)
	pod := puller(image)
	_, err := client.Create(ctx, pod, metav1.CreateOptions{})
	if apierrors.IsForbidden(err) {
		step.Say(ctx, "pulling "+image.Ref, "left to the start of the IOC: "+err.Error())
		return nil
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return cluster.Broken("pulling "+image.Ref+" to "+image.Node, err)
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		now := int64(0)
		_ = client.Delete(last, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	}()
	var failing time.Time // since when the pull has been failing
	for {
		p, err := client.Get(ctx, pod.Name, metav1.GetOptions{})
		if err == nil {
			pulled, problem := progressOf(p)
			switch {
			case pulled:
				return nil
			case problem == "":
				failing = time.Time{}
			case failing.IsZero():
				failing = time.Now()
			case time.Since(failing) >= patience:
				return cluster.Broken("pulling "+image.Ref+" to "+image.Node, errors.New(problem))
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pulling %s to %s: %w", image.Ref, image.Node, context.Cause(ctx))
		case <-time.After(lookEvery):
		}
	}
}

// progressOf reports whether the pod's image is on its node, or why not.
func progressOf(p *corev1.Pod) (pulled bool, problem string) {
	for _, c := range p.Status.ContainerStatuses {
		waiting := c.State.Waiting
		switch {
		case waiting == nil || c.ImageID != "":
			return true, "" // it runs or has run
		case slices.Contains([]string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName"}, waiting.Reason):
			return false, waiting.Reason + ": " + waiting.Message
		case slices.Contains(stuck, waiting.Reason):
			return true, "" // starting it failed, which comes after pulling
		}
	}
	return false, ""
}

// puller is a pod that ends at once, on the node that needs the image. It has an
// IOC's own restrictions.
func puller(image Image) *corev1.Pod {
	no, yes, user, deadline := false, true, int64(1000), int64(600)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("tagline-pull-%.12x", sha256.Sum256([]byte(image.Node+" "+image.Ref))),
			Labels: map[string]string{labelPull: "true"},
		},
		Spec: corev1.PodSpec{
			NodeName: image.Node, HostNetwork: true, RestartPolicy: corev1.RestartPolicyNever,
			AutomountServiceAccountToken: &no, EnableServiceLinks: &no, ActiveDeadlineSeconds: &deadline,
			Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "pull", Image: image.Ref, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{"/usr/bin/env", "true"},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}
