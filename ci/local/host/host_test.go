package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/google/nftables"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// inNetworkOfItsOwn is set in the process that plays the machine.
const inNetworkOfItsOwn = "TAGLINE_TEST_NETWORK"

// The test binary is also the machine whose network is changed: in network and
// mount namespaces of its own, so that this machine's stays as it is.
func TestMain(m *testing.M) {
	if dir := os.Getenv(inNetworkOfItsOwn); dir != "" {
		if err := takeAndGiveBack(context.Background(), state.Dir(dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTheMachineIsGivenBackAsItWas(t *testing.T) {
	if testing.Short() {
		t.Skip("makes namespaces")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes namespaces")
	}
	if _, err := exec.LookPath("/usr/sbin/iptables-legacy-save"); err != nil {
		t.Skip("Debian's iptables, which up installs, is not here yet")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), inNetworkOfItsOwn+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, string(out))
}

// takeAndGiveBack does to a machine what up, the engine's network and down do,
// and compares it before and after.
func takeAndGiveBack(ctx context.Context, s state.Dir) error {
	if links, err := net.Interfaces(); err != nil || len(links) > 1 {
		return fmt.Errorf("this is no network of its own: %v %v", links, err)
	}
	// The lock of the firewall lies below /run.
	if err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, ""),
		os.WriteFile(forwardingFile, []byte("0\n"), 0),
		iptables("-t", "nat", "-A", "POSTROUTING", "-s", "10.1.0.0/16", "-j", "MASQUERADE"),
	); err != nil {
		return err
	}
	if err := os.Remove(FirewallLock); err != nil {
		return fmt.Errorf("iptables left no lock: %w", err)
	}
	before, err := firewallRules(ctx, "nat")
	if err != nil {
		return err
	}
	another := state.Dir(s.Path("another")) // that nothing was started with: the bridge is not its own
	if err := errors.Join(Remember(ctx, s), EnsureBridge(), EnsureBridge(), GiveBack(ctx, another)); err != nil {
		return err
	}
	bridge, err := net.InterfaceByName(BridgeName)
	if err != nil {
		return err
	}
	if addrs, err := bridge.Addrs(); err != nil || len(addrs) == 0 || addrs[0].String() != GatewayIP+"/16" {
		return fmt.Errorf("the bridge has %v, %v", addrs, err)
	}
	if err := claimAndServe(s); err != nil {
		return err
	}
	if err := errors.Join(
		os.WriteFile(forwardingFile, []byte("1\n"), 0),
		iptables("-t", "nat", "-A", "POSTROUTING", "-s", "10.87.0.2/32", "-j", "MASQUERADE"),
		Remember(ctx, s), // a second up must not take this for how the machine was
		GiveBack(ctx, s),
		GiveBack(ctx, s),
	); err != nil {
		return err
	}
	after, err := firewallRules(ctx, "nat")
	if err != nil {
		return err
	}
	if undo := undoRules("nat", before, after); undo != "" {
		return fmt.Errorf("rules are left:\n%s", undo)
	}
	if undo := undoRules("nat", after, before); undo != "" {
		return fmt.Errorf("rules of others are gone:\n%s", undo)
	}
	if _, err := net.InterfaceByName(BridgeName); err == nil {
		return errors.New("the bridge is left")
	}
	if b, err := os.ReadFile(forwardingFile); err != nil || string(b) != "0\n" {
		return fmt.Errorf("forwarding: %q, %v", b, err)
	}
	if state.Exists(beforeFile(s)) || state.Exists(FirewallLock) || state.Exists(claimFile(s)) {
		return errors.New("a file is left")
	}
	if err := ServicesReady(); err == nil {
		return errors.New("the table of services is left")
	}
	return othersServices(ctx, s)
}

// claimAndServe claims the table of services twice, as two starts do, and makes it.
func claimAndServe(s state.Dir) error {
	for range 2 {
		if ours, err := ClaimServices(s); err != nil || !ours {
			return fmt.Errorf("services were claimed: %v, %v", ours, err)
		}
	}
	return errors.Join(makeServices(), ServicesReady())
}

// othersServices makes the table of another cluster, which must stay.
func othersServices(ctx context.Context, s state.Dir) error {
	if err := makeServices(); err != nil {
		return err
	}
	if ours, err := ClaimServices(s); err != nil || ours {
		return fmt.Errorf("another cluster's services were claimed: %v, %v", ours, err)
	}
	return errors.Join(GiveBack(ctx, s), ServicesReady())
}

// makeServices makes the table that kube-proxy makes.
func makeServices() error {
	conn := &nftables.Conn{}
	conn.AddTable(&nftables.Table{Name: servicesTable, Family: nftables.TableFamilyIPv4})
	return conn.Flush()
}

func iptables(args ...string) error {
	out, err := exec.Command("/usr/sbin/iptables-legacy", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables %q: %w\n%s", args, err, out)
	}
	return nil
}

func TestNotesThatCannotBeReadAreNamed(t *testing.T) {
	s := state.Dir(t.TempDir())
	require.NoError(t, state.WriteFile(beforeFile(s), []byte("half a fi"), 0o644))
	_, err := readBefore(s)
	assert.ErrorContains(t, err, beforeFile(s))
}

func TestNamesNetwork(t *testing.T) {
	for rule, want := range map[string]bool{
		`-A FORWARD -s 10.87.0.2/32 -j ACCEPT`:                                        true,
		`-A CNI-X -d 10.87.0.0/16 -j ACCEPT`:                                          true,
		`-A POSTROUTING -m comment --comment "name: \"tagline\" id: \"x\"" -j CNI-X`:  true,
		`-A POSTROUTING -m comment --comment "name: \"tagline2\" id: \"x\"" -j CNI-X`: false,
		`-A FORWARD -s 10.88.0.2/32 -j ACCEPT`:                                        false,
		`-A FORWARD -s 10.0.0.0/8 -j ACCEPT`:                                          false,
		``:                                                                            false,
	} {
		assert.Equal(t, want, namesNetwork(rule), rule)
	}
}
