package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// CNIState is where the network plugins note who has which address; the
// engine sees a folder of ours there.
const CNIState = "/var/lib/cni"

// hostBefore is what the engine's network changes on the machine, as it was.
type hostBefore struct {
	Forwarding string            `json:"forwarding"` // of /proc/sys/net/ipv4/ip_forward
	Rules      map[string]string `json:"rules"`      // firewall table → iptables-save
	CNIState   bool              `json:"CNIState"`   // CNIState existed
	Lock       bool              `json:"lock"`       // FirewallLock existed
}

// FirewallLock is held by whoever changes firewall rules.
const FirewallLock = "/run/xtables.lock"

const forwardingFile = "/proc/sys/net/ipv4/ip_forward"

var firewallTables = []string{"filter", "nat"}

func beforeFile(s state.Dir) string { return s.Path("host-before.json") }

// Remember writes down how the machine is, once: until it is given back.
func Remember(ctx context.Context, s state.Dir) error {
	if state.Exists(beforeFile(s)) {
		return ensureFile(FirewallLock) // gone after a restart of the machine
	}
	forwarding, err := os.ReadFile(forwardingFile)
	if err != nil {
		return err
	}
	before := hostBefore{Forwarding: string(forwarding), Rules: map[string]string{}}
	for _, table := range firewallTables {
		if before.Rules[table], err = firewallRules(ctx, table); err != nil {
			return err
		}
	}
	before.CNIState, before.Lock = state.Exists(CNIState), state.Exists(FirewallLock)
	b, err := json.Marshal(before)
	if err != nil {
		return err
	}
	if err := state.WriteFile(beforeFile(s), b, 0o644); err != nil {
		return err
	}
	return ensureFile(FirewallLock)
}

// ensureFile makes an empty file when there is none.
func ensureFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// GiveBack takes away what our networks left: firewall rules, those of services
// too, the bridge, forwarding. What was there before stays, and so does what others added.
// Where nothing was started with networks there is nothing to do: those that there are
// belong to another state directory.
func GiveBack(ctx context.Context, s state.Dir) error {
	if !state.Exists(beforeFile(s)) && !state.Exists(s.Path("kube")) {
		return nil
	}
	if err := errors.Join(removeServices(s), removeBridge()); err != nil {
		return err
	}
	before, err := readBefore(s)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, table := range firewallTables {
		if err := removeRules(ctx, table, before.Rules[table]); err != nil {
			return err
		}
	}
	if err := os.WriteFile(forwardingFile, []byte(before.Forwarding), 0o644); err != nil {
		return err
	}
	if !before.CNIState {
		_ = os.Remove(CNIState) // only when it is empty
	}
	if !before.Lock {
		_ = os.Remove(FirewallLock)
	}
	return os.Remove(beforeFile(s))
}

// readBefore returns what Remember wrote down.
func readBefore(s state.Dir) (before hostBefore, err error) {
	b, err := os.ReadFile(beforeFile(s))
	if err != nil {
		return before, err
	}
	if err := json.Unmarshal(b, &before); err != nil {
		return before, fmt.Errorf("reading %s: %w", beforeFile(s), err)
	}
	return before, nil
}

// firewallRules returns a table's rules, as iptables-save prints them.
func firewallRules(ctx context.Context, table string) (string, error) {
	out, err := exec.CommandContext(ctx, "/usr/sbin/iptables-legacy-save", "-t", table).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("reading firewall table %s: %w\n%s", table, err, out)
	}
	return string(out), nil
}

func removeRules(ctx context.Context, table, before string) error {
	now, err := firewallRules(ctx, table)
	if err != nil {
		return err
	}
	undo := undoRules(table, before, now)
	if undo == "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, "/usr/sbin/iptables-legacy-restore", "--noflush")
	cmd.Stdin = strings.NewReader(undo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("removing firewall rules: %w\n%s%s", err, out, undo)
	}
	return nil
}
