package ledger

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const (
	// PolicyName is the name of the ConfigMap that holds a beamline's policy. Who administers
	// the namespace writes it; who promotes reads it.
	PolicyName = "tagline-policy"
	policyKey  = "policy.yaml"
)

// ErrNoPolicy is the cause when a beamline has no policy.
var ErrNoPolicy = errors.New("it has no policy")

// PolicyText returns the text of the policy that a ConfigMap of the namespace holds; empty
// when it is another beamline's.
func PolicyText(n *cluster.Namespace, cm *corev1.ConfigMap) string {
	if cm.Labels[cluster.LabelBeamline] != n.Beamline {
		return ""
	}
	return cm.Data[policyKey]
}

// Policy returns the text of the beamline's policy, and what names it as it was applied:
// one that was changed meanwhile and then applied again has another such name. The error
// is of kind diag.Refused when there is none, or when it is another beamline's.
func Policy(ctx context.Context, n *cluster.Namespace) (text, applied string, err error) {
	refused := func(fix, format string, args ...any) error {
		return &diag.Error{
			Kind: diag.Refused, Doing: "reading the policy of", Asset: n.Beamline, Err: fmt.Errorf(format, args...),
			Fix: fix,
		}
	}
	cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, PolicyName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", "", refused("have who administers the namespace run: tagline policy init "+n.Beamline,
			"%w in namespace %s, and nothing is promoted without one", ErrNoPolicy, n.Name)
	}
	if err != nil {
		return "", "", cluster.Broken("reading the policy of "+n.Beamline, err)
	}
	if owner := cm.Labels[cluster.LabelBeamline]; owner != n.Beamline {
		return "", "", refused("give each beamline a namespace of its own in beamline.yaml",
			"the policy in namespace %s is of beamline %q", n.Name, owner)
	}
	// The cluster gives each change of an object a version that none had before, whoever
	// makes it: kubectl too. No file has it, so that no copy of the object brings it back.
	return cm.Data[policyKey], string(cm.UID) + "/" + cm.ResourceVersion, nil
}

// FirstPolicy writes the text of a policy where the beamline has none, and makes the
// namespace where it is missing. One that is there is left alone: there reports that, and
// now is the text that the beamline has after it.
func FirstPolicy(ctx context.Context, n *cluster.Namespace, text string) (now string, there bool, err error) {
	if there, err = createPolicy(ctx, n, text); !there || err != nil {
		return text, false, err
	}
	now, _, err = Policy(ctx, n)
	return now, true, err
}

// SavePolicy writes the text of the beamline's policy over the one that is there, and makes
// the namespace where it is missing. One that has this text is left as it was applied.
func SavePolicy(ctx context.Context, n *cluster.Namespace, text string) error {
	there, err := createPolicy(ctx, n, text)
	if !there || err != nil {
		return err
	}
	if now, _, err := Policy(ctx, n); err == nil && now == text {
		return nil
	}
	_, err = n.Client.CoreV1().ConfigMaps(n.Name).Update(ctx, policyMap(n, text), metav1.UpdateOptions{})
	if err != nil {
		return notWritten(n, err)
	}
	return nil
}

// createPolicy writes a policy where none is; there reports that one is.
func createPolicy(ctx context.Context, n *cluster.Namespace, text string) (there bool, err error) {
	if err := n.Ensure(ctx); err != nil {
		return false, err
	}
	_, err = n.Client.CoreV1().ConfigMaps(n.Name).Create(ctx, policyMap(n, text), metav1.CreateOptions{})
	switch {
	case apierrors.IsAlreadyExists(err):
		return true, nil
	case err != nil:
		return false, notWritten(n, err)
	}
	return false, nil
}

// policyMap is the object that holds a policy.
func policyMap(n *cluster.Namespace, text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: PolicyName, Labels: map[string]string{cluster.LabelBeamline: n.Beamline}},
		Data:       map[string]string{policyKey: text},
	}
}

func notWritten(n *cluster.Namespace, err error) error {
	return cluster.Broken("writing the policy of "+n.Beamline, err)
}
