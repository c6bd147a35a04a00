package host

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/google/nftables"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// servicesTable is where kube-proxy keeps its rules, in the tables of IPv4 and of
// IPv6. The name is its own, so a machine has room for one kube-proxy.
const servicesTable = "kube-proxy"

// claimFile is there while the table is ours.
func claimFile(s state.Dir) string { return s.Path("host-services") }

// ClaimServices reports whether the stand-in's kube-proxy may run: false when the
// machine has one of another cluster. From then on GiveBack removes its table.
func ClaimServices(s state.Dir) (bool, error) {
	if state.Exists(claimFile(s)) {
		return true, nil
	}
	tables, err := serviceTables()
	if err != nil || len(tables) > 0 {
		return false, err
	}
	return true, state.WriteFile(claimFile(s), nil, 0o644)
}

// ServicesReady returns nil once kube-proxy has made its table.
func ServicesReady() error {
	tables, err := serviceTables()
	if err == nil && len(tables) == 0 {
		err = errors.New("kube-proxy has no table yet")
	}
	return err
}

// serviceTables returns kube-proxy's tables in the network namespace of this
// process.
func serviceTables() ([]*nftables.Table, error) {
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		return nil, fmt.Errorf("listing the tables of nftables: %w", err)
	}
	return slices.DeleteFunc(tables, func(t *nftables.Table) bool { return t.Name != servicesTable }), nil
}

// removeServices removes kube-proxy's tables if they are ours.
func removeServices(s state.Dir) error {
	if !state.Exists(claimFile(s)) {
		return nil
	}
	tables, err := serviceTables()
	if err != nil {
		return err
	}
	conn := &nftables.Conn{}
	for _, t := range tables {
		conn.DelTable(t)
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("removing the table %s of nftables: %w", servicesTable, err)
	}
	return os.Remove(claimFile(s))
}
