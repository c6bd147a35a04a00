package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// AcknowledgedName is the name of the ConfigMap that holds the acknowledgements. It is
// one of its own, so that whoever acknowledges waits for no lock, and no promotion
// finds its ledger changed.
const AcknowledgedName = "tagline-acknowledged"

const acknowledgedKey = "acknowledged.json"

// Acknowledged returns by instance what somebody acknowledged, whether it still holds or
// not.
func Acknowledged(ctx context.Context, n *cluster.Namespace) (map[string]Acknowledgement, error) {
	all, _, err := acknowledged(ctx, n)
	return all, err
}

// acknowledged returns also the ConfigMap, nil where there is none.
func acknowledged(ctx context.Context, n *cluster.Namespace) (map[string]Acknowledgement, *corev1.ConfigMap, error) {
	cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, AcknowledgedName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return map[string]Acknowledgement{}, nil, nil
	}
	if err != nil {
		return nil, nil, cluster.Broken("reading what was acknowledged of "+n.Beamline, err)
	}
	return ParseAcknowledged(n, cm), cm, nil
}

// ParseAcknowledged returns what a ConfigMap of the namespace holds, as Acknowledged does.
// One that cannot be read, or is of a beamline that ran here before, acknowledges nothing:
// then every trouble is shown as new, which is the safe side.
func ParseAcknowledged(n *cluster.Namespace, cm *corev1.ConfigMap) map[string]Acknowledgement {
	all := map[string]Acknowledgement{}
	if cm.Labels[cluster.LabelBeamline] != n.Beamline ||
		json.Unmarshal([]byte(cm.Data[acknowledgedKey]), &all) != nil || all == nil {
		return map[string]Acknowledgement{}
	}
	return all
}

// Acknowledge lets a function change what is acknowledged, and writes that where it
// differs. Others may be writing too: it may be called again.
func Acknowledge(ctx context.Context, n *cluster.Namespace, change func(all map[string]Acknowledgement)) error {
	again := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	err := retry.OnError(retry.DefaultBackoff, again, func() error {
		all, cm, err := acknowledged(ctx, n)
		if err != nil {
			return err
		}
		before := maps.Clone(all)
		if change(all); reflect.DeepEqual(before, all) {
			return nil
		}
		return saveAcknowledged(ctx, n, cm, all)
	})
	if err != nil {
		return cluster.Broken("writing what was acknowledged of "+n.Beamline, err)
	}
	return nil
}

// saveAcknowledged writes over a ConfigMap as it was read, nil where there was none.
func saveAcknowledged(
	ctx context.Context, n *cluster.Namespace, was *corev1.ConfigMap, all map[string]Acknowledgement,
) error {
	for instance, a := range all {
		a.Reason = cut(a.Reason)
		all[instance] = a
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	_, err = write(ctx, n, was, AcknowledgedName, map[string]string{acknowledgedKey: string(text)})
	return err
}

// KeepAcknowledged forgets what was acknowledged of other IOCs than these, and what is
// over at a time.
func KeepAcknowledged(ctx context.Context, n *cluster.Namespace, instances []string, now time.Time) error {
	return Acknowledge(ctx, n, func(all map[string]Acknowledgement) {
		maps.DeleteFunc(all, func(instance string, a Acknowledgement) bool {
			return !now.Before(a.Until) || !slices.Contains(instances, instance)
		})
	})
}
