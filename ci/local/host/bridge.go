// Package host is what the stand-ins change on the machine itself: a bridge,
// firewall rules, forwarding, control groups; and restores it.
package host

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/vishvananda/netlink"
)

// The network of the engine's containers and of pods. Its gateway is this machine, so the
// gateway's address is where containers find what runs here.
const (
	NetworkName = "tagline"
	NetworkCIDR = "10.87.0.0/16"
	BridgeName  = NetworkName + "0" // the engine's own rule
	GatewayIP   = "10.87.0.1"       // likewise
)

var bridgeChange sync.Mutex // engine and cluster both want it

// EnsureBridge makes the bridge that the engine would make with its first
// container, so that the gateway's address answers from the start.
func EnsureBridge() error {
	bridgeChange.Lock()
	defer bridgeChange.Unlock()
	link, err := netlink.LinkByName(BridgeName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		link = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: BridgeName}}
		if err := netlink.LinkAdd(link); err != nil {
			return fmt.Errorf("adding bridge %s: %w", BridgeName, err)
		}
	} else if err != nil {
		return err
	}
	_, subnet, err := net.ParseCIDR(NetworkCIDR)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(GatewayIP), Mask: subnet.Mask}}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return fmt.Errorf("giving %s its address %s: %w", BridgeName, GatewayIP, err)
	}
	return netlink.LinkSetUp(link)
}

// removeBridge takes the bridge away; none is fine.
func removeBridge() error {
	link, err := netlink.LinkByName(BridgeName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}
