package ledger

import (
	"context"
	"maps"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// ConsolesName is the name of the ConfigMap that says who is in the shell of which IOC.
const ConsolesName = "tagline-consoles"

var consoles = kept[Console]{ConsolesName, "consoles.json", "who is in the consoles"}

// Console is somebody in the shell of an IOC.
type Console struct {
	Instance string    `json:"instance"`
	By       string    `json:"by"`
	Since    time.Time `json:"since"`
	// Until is when the entry is over unless it is renewed: a console that was cut off
	// doesn't say that it ends.
	Until time.Time `json:"until"`
}

// EnterConsole writes or renews a console under an id of its own, and returns by id the
// others that the same IOC has. What is over at a time is forgotten.
func EnterConsole(
	ctx context.Context, n *cluster.Namespace, id string, c Console, now time.Time,
) (others map[string]Console, err error) {
	err = consoles.change(ctx, n, func(all map[string]Console) {
		maps.DeleteFunc(all, func(_ string, c Console) bool { return !now.Before(c.Until) })
		others = maps.Clone(all)
		maps.DeleteFunc(others, func(other string, o Console) bool { return other == id || o.Instance != c.Instance })
		all[id] = c
	})
	return others, err
}

// LeaveConsole forgets a console.
func LeaveConsole(ctx context.Context, n *cluster.Namespace, id string) error {
	return consoles.change(ctx, n, func(all map[string]Console) { delete(all, id) })
}
