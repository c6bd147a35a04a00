package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// kept is a ConfigMap that holds one map, which several people change without a lock.
// It is one of its own, so that no promotion finds its ledger changed.
type kept[T any] struct {
	name string // of the ConfigMap
	key  string // in its data
	what string // "what was acknowledged"
}

// read returns the map, and the ConfigMap: nil where there is none.
func (k kept[T]) read(ctx context.Context, n *cluster.Namespace) (map[string]T, *corev1.ConfigMap, error) {
	cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, k.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return map[string]T{}, nil, nil
	}
	if err != nil {
		return nil, nil, cluster.Broken("reading "+k.what+" of "+n.Beamline, err)
	}
	return k.parse(n, cm), cm, nil
}

// parse returns what a ConfigMap holds: nothing when it cannot be read, or is of a
// beamline that ran in this namespace before.
func (k kept[T]) parse(n *cluster.Namespace, cm *corev1.ConfigMap) map[string]T {
	all := map[string]T{}
	if cm.Labels[cluster.LabelBeamline] != n.Beamline ||
		json.Unmarshal([]byte(cm.Data[k.key]), &all) != nil || all == nil {
		return map[string]T{}
	}
	return all
}

// change lets a function change the map, and writes it where it differs. Others may be
// writing too: the function may be called again.
func (k kept[T]) change(ctx context.Context, n *cluster.Namespace, by func(all map[string]T)) error {
	again := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	err := retry.OnError(retry.DefaultBackoff, again, func() error {
		all, cm, err := k.read(ctx, n)
		if err != nil {
			return err
		}
		before := maps.Clone(all)
		if by(all); reflect.DeepEqual(before, all) {
			return nil
		}
		text, err := json.Marshal(all)
		if err != nil {
			return err
		}
		_, err = write(ctx, n, cm, k.name, map[string]string{k.key: string(text)})
		return err
	})
	if err != nil {
		return cluster.Broken("writing "+k.what+" of "+n.Beamline, err)
	}
	return nil
}
