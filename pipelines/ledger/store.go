package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Name is the name of the ConfigMap that holds a ledger.
const Name = "tagline"

const key = "ledger.json"

// Read returns what the namespace remembers; an empty Ledger when nothing was
// ever promoted there. The error is of kind diag.Refused when the namespace is
// another beamline's.
func Read(ctx context.Context, n *cluster.Namespace) (*Ledger, error) {
	cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &Ledger{}, nil
	}
	if err != nil {
		return nil, cluster.Broken("reading what runs in namespace "+n.Name, err)
	}
	return Parse(n, cm)
}

// Parse returns the ledger that a ConfigMap of the namespace holds, as Read does.
func Parse(n *cluster.Namespace, cm *corev1.ConfigMap) (*Ledger, error) {
	if owner := cm.Labels[cluster.LabelBeamline]; owner != n.Beamline {
		return nil, &diag.Error{Kind: diag.Refused, Doing: "opening namespace " + n.Name + " for", Asset: n.Beamline,
			Err: fmt.Errorf(
				"beamline %q runs there",
				owner,
			), Fix: "give each beamline a namespace of its own in beamline.yaml"}
	}
	l := &Ledger{seen: cm}
	if err := json.Unmarshal([]byte(cm.Data[key]), l); err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "reading what runs in namespace " + n.Name, Err: err,
			Fix: "mend or delete ConfigMap " + Name + " there; deleting it forgets the former releases"}
	}
	return l, nil
}

// Save writes the ledger. It fails when somebody else wrote since it was read.
func (l *Ledger) Save(ctx context.Context, n *cluster.Namespace) error {
	text, err := l.text()
	if err != nil {
		return fmt.Errorf("writing what runs in namespace %s: %w", n.Name, err)
	}
	saved, err := write(ctx, n, l.seen, Name, map[string]string{key: string(text)})
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return cluster.Broken(
			"writing what runs in namespace "+n.Name,
			errors.New("somebody else changed it meanwhile"),
		)
	}
	if err != nil {
		return cluster.Broken("writing what runs in namespace "+n.Name, err)
	}
	l.seen = saved
	return nil
}

// write writes a ConfigMap of the beamline over what was read, nil where there was none,
// and returns it as it is then. The error is a conflict, or that it exists, when somebody
// else wrote meanwhile.
func write(
	ctx context.Context, n *cluster.Namespace, was *corev1.ConfigMap, name string, data map[string]string,
) (*corev1.ConfigMap, error) {
	next := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if was != nil {
		next = was.DeepCopy()
	}
	metav1.SetMetaDataLabel(&next.ObjectMeta, cluster.LabelBeamline, n.Beamline)
	next.Data = data
	if was == nil {
		return n.Client.CoreV1().ConfigMaps(n.Name).Create(ctx, next, metav1.CreateOptions{})
	}
	return n.Client.CoreV1().ConfigMaps(n.Name).Update(ctx, next, metav1.UpdateOptions{})
}

// Delete forgets the beamline: the namespace may be another's afterwards. It fails
// when somebody else wrote since the ledger was read.
func (l *Ledger) Delete(ctx context.Context, n *cluster.Namespace) error {
	if l.seen == nil {
		return nil
	}
	err := n.Client.CoreV1().ConfigMaps(n.Name).Delete(ctx, Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &l.seen.UID, ResourceVersion: &l.seen.ResourceVersion},
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return cluster.Broken("forgetting "+n.Beamline+" in namespace "+n.Name, err)
	}
	return nil
}
