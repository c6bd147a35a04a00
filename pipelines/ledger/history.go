package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// Entry is one thing that was done to a beamline.
type Entry struct {
	Time time.Time `json:"time"` // when it ended; of a rollback, when its watch began
	By   string    `json:"by"`   // the run: "ajp on ws012, process 4711"
	// "promote", "rollback", "stop", "start", "restart", "move", "remove", "acknowledge",
	// "withdraw"
	Did      string `json:"did"`
	Version  string `json:"version,omitempty"`  // that it went to
	From     string `json:"from,omitempty"`     // that ran before
	Instance string `json:"instance,omitempty"` // where it was done to one
	Reason   string `json:"reason,omitempty"`   // as the person gave it
	Failed   string `json:"failed,omitempty"`   // how it ended, where it did not succeed
	// what the watch found: "verified 2m", "inconclusive: …", after a rollback "not as
	// before: …"; empty where nothing was watched
	Verified string `json:"verified,omitempty"`
	// Override is who overrode the policy and why; empty where nobody did.
	Override  string   `json:"override,omitempty"`
	Approvals []string `json:"approvals,omitempty"` // the names of those whose approvals counted
	// Trouble is what was acknowledged, and Until how long that holds.
	Trouble string    `json:"trouble,omitempty"`
	Until   time.Time `json:"until,omitzero"`
}

// Why returns the reason, with what a person should know beside it; empty where there is
// none.
func (e Entry) Why() string {
	var parts []string
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	if e.Override != "" {
		parts = append(parts, "the policy was overridden by "+e.Override)
	}
	if e.Trouble != "" {
		parts = append(parts, "until "+clock(e.Until)+", for "+e.Trouble)
	}
	return strings.Join(parts, "; ")
}

// Ended returns how it ended: "well", what the watch found, or why it failed.
func (e Entry) Ended() string {
	switch {
	case e.Failed != "":
		return e.Failed
	case e.Verified != "":
		return e.Verified
	}
	return "well"
}

// Unfinished is what Entry.Verified says while a rollback is being watched, and after
// that was killed.
const Unfinished = "inconclusive: the watch did not end"

// completes reports whether an entry says how the unfinished one ended.
func (e Entry) completes(unfinished Entry) bool {
	return unfinished.Verified == Unfinished && unfinished.Time.Equal(e.Time) && unfinished.By == e.By
}

// HistoryName is the name of the ConfigMap that holds the history. It is one of
// its own, so that it never takes room from the ledger, without which a beamline
// cannot be put back.
const HistoryName = "tagline-history"

const (
	historyKey  = "history.json"
	mostEntries = 1000
	longestText = 2000 // bytes of a reason or a failure
)

// Entries returns what was done to the beamline, newest first.
func Entries(ctx context.Context, n *cluster.Namespace) ([]Entry, error) {
	cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, HistoryName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return []Entry{}, nil
	}
	if err != nil {
		return nil, cluster.Broken("reading the history of "+n.Beamline, err)
	}
	return ParseEntries(n, cm)
}

// ParseEntries returns the entries that a ConfigMap of the namespace holds, as
// Entries does.
func ParseEntries(n *cluster.Namespace, cm *corev1.ConfigMap) ([]Entry, error) {
	entries := []Entry{}
	if err := json.Unmarshal([]byte(cm.Data[historyKey]), &entries); err != nil {
		return nil, cluster.Broken("reading ConfigMap "+HistoryName+" of namespace "+n.Name, err)
	}
	slices.Reverse(entries)
	return entries, nil
}

// Append adds an entry to the history, without the oldest ones where they do not
// fit. It takes the place of the Unfinished one of the same run and time. Others may be
// writing too.
func Append(ctx context.Context, n *cluster.Namespace, e Entry) error {
	for _, text := range []*string{&e.Reason, &e.Failed, &e.Verified, &e.Override, &e.Trouble} {
		*text = cut(*text)
	}
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		cm, err := n.Client.CoreV1().ConfigMaps(n.Name).Get(ctx, HistoryName, metav1.GetOptions{})
		var entries []Entry
		switch {
		case apierrors.IsNotFound(err):
			cm = nil
		case err != nil:
			return fmt.Errorf("reading what it holds: %w", err)
		default:
			if entries, err = ParseEntries(n, cm); err != nil {
				return err
			}
		}
		slices.Reverse(entries)
		entries = slices.DeleteFunc(entries, func(old Entry) bool { return e.completes(old) })
		text, err := newest(append(entries, e))
		if err != nil {
			return err
		}
		_, err = write(ctx, n, cm, HistoryName, map[string]string{historyKey: string(text)})
		return err
	})
	if err != nil {
		return cluster.Broken(fmt.Sprintf("writing the history of %s", n.Beamline), err)
	}
	return nil
}

// newest returns as JSON as many of the newest entries as an object may hold.
// entries are oldest first.
func newest(entries []Entry) ([]byte, error) {
	entries = entries[max(0, len(entries)-mostEntries):]
	for {
		text, err := json.Marshal(entries)
		if err != nil || len(text) <= largest || len(entries) == 1 {
			return text, err
		}
		entries = entries[(len(entries)+9)/10:]
	}
}

// cut returns the beginning of a text that is too long, and no half letter at its end.
func cut(text string) string {
	if len(text) <= longestText {
		return text
	}
	return strings.ToValidUTF8(text[:longestText], "") + "…"
}
