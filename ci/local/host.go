package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// cniState is where the network plugins note who has which address; the
// engine sees a folder of ours there.
const cniState = "/var/lib/cni"

// hostBefore is what the engine's network changes on the machine, as it was.
type hostBefore struct {
	Forwarding string            `json:"forwarding"` // of /proc/sys/net/ipv4/ip_forward
	Rules      map[string]string `json:"rules"`      // firewall table → iptables-save
	CNIState   bool              `json:"cniState"`   // cniState existed
	Lock       bool              `json:"lock"`       // firewallLock existed
}

// firewallLock is held by whoever changes firewall rules.
const firewallLock = "/run/xtables.lock"

const forwardingFile = "/proc/sys/net/ipv4/ip_forward"

var firewallTables = []string{"filter", "nat"}

func (s State) hostFile() string { return s.Path("host-before.json") }

// rememberHost notes how the machine is, once: until it is given back.
func rememberHost(ctx context.Context, s State) error {
	if exists(s.hostFile()) {
		return ensureFile(firewallLock) // gone after a restart of the machine
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
	before.CNIState, before.Lock = exists(cniState), exists(firewallLock)
	b, err := json.Marshal(before)
	if err != nil {
		return err
	}
	if err := writeFile(s.hostFile(), b, 0o644); err != nil {
		return err
	}
	return ensureFile(firewallLock)
}

// ensureFile makes an empty file when there is none.
func ensureFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// giveBackHost takes away what our networks left: firewall rules, the bridge,
// forwarding. What was there before stays, and so does what others added.
func giveBackHost(ctx context.Context, s State) error {
	b, err := os.ReadFile(s.hostFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var before hostBefore
	if err := json.Unmarshal(b, &before); err != nil {
		return fmt.Errorf("reading %s: %w", s.hostFile(), err)
	}
	if err := removeBridge(); err != nil {
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
		_ = os.Remove(cniState) // only when it is empty
	}
	if !before.Lock {
		_ = os.Remove(firewallLock)
	}
	return os.Remove(s.hostFile())
}

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
