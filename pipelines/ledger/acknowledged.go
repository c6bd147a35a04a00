package ledger

import (
	"context"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// AcknowledgedName is the name of the ConfigMap that holds the acknowledgements.
const AcknowledgedName = "tagline-acknowledged"

var acknowledgements = kept[Acknowledgement]{AcknowledgedName, "acknowledged.json", "what was acknowledged"}

// Acknowledged returns by instance what somebody acknowledged, whether it still holds or
// not.
func Acknowledged(ctx context.Context, n *cluster.Namespace) (map[string]Acknowledgement, error) {
	all, _, err := acknowledgements.read(ctx, n)
	return all, err
}

// ParseAcknowledged returns what a ConfigMap of the namespace holds, as Acknowledged does.
// One that cannot be read, or is of a beamline that ran here before, acknowledges nothing:
// then every trouble is shown as new, which is the safe side.
func ParseAcknowledged(n *cluster.Namespace, cm *corev1.ConfigMap) map[string]Acknowledgement {
	return acknowledgements.parse(n, cm)
}

// Acknowledge lets a function change what is acknowledged, and writes that where it
// differs. Others may be writing too: it may be called again.
func Acknowledge(ctx context.Context, n *cluster.Namespace, change func(all map[string]Acknowledgement)) error {
	return acknowledgements.change(ctx, n, func(all map[string]Acknowledgement) {
		change(all)
		for instance, a := range all {
			a.Reason = cut(a.Reason)
			all[instance] = a
		}
	})
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
