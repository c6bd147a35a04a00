package local

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/vishvananda/netlink"
)

// The network of the engine's containers. Its gateway is this machine, so the
// gateway's address is where containers find what runs here.
const (
	networkName = "tagline"
	networkCIDR = "10.87.0.0/16"
	bridgeName  = networkName + "0" // the engine's own rule
	gatewayIP   = "10.87.0.1"       // likewise
)

var makingBridge sync.Mutex // engine and cluster both want it

// ensureBridge makes the bridge that the engine would make with its first
// container, so that the gateway's address answers from the start.
func ensureBridge() error {
	makingBridge.Lock()
	defer makingBridge.Unlock()
	link, err := netlink.LinkByName(bridgeName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		link = &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}
		if err := netlink.LinkAdd(link); err != nil {
			return fmt.Errorf("adding bridge %s: %w", bridgeName, err)
		}
	} else if err != nil {
		return err
	}
	_, subnet, err := net.ParseCIDR(networkCIDR)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(gatewayIP), Mask: subnet.Mask}}
	if err := netlink.AddrReplace(link, addr); err != nil {
		return fmt.Errorf("giving %s its address %s: %w", bridgeName, gatewayIP, err)
	}
	return netlink.LinkSetUp(link)
}

// removeBridge takes the bridge away; none is fine.
func removeBridge() error {
	link, err := netlink.LinkByName(bridgeName)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil
	}
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}
