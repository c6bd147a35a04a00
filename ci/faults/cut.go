package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/ci/fleet"
)

// server returns the port of one of tagline up's servers, from its URL.
func server(address func(*trial) string) func(*trial) (uint16, error) {
	return func(t *trial) (uint16, error) {
		at := address(t)
		u, err := url.Parse(at)
		if err != nil {
			return 0, err
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%s has no port: %w", at, err)
		}
		return uint16(port), nil
	}
}

// apiServer and shelf are where the network is cut.
func apiServer(t *trial) string { return t.Config.Host }
func shelf(t *trial) string     { return "http://" + t.Registry }

// cutOff drops whatever is sent to a port of this machine for a while, so that
// nobody is told: a connection hangs, as behind a switch that lost its power.
func cutOff(ctx context.Context, port uint16, length time.Duration) error {
	conn := &nftables.Conn{}
	table := conn.AddTable(&nftables.Table{
		Name: "tagline-faults-" + strconv.Itoa(int(port)), Family: nftables.TableFamilyINet,
	})
	chain := conn.AddChain(&nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	if err := conn.Flush(); err != nil {
		return err
	}
	err := fleet.Sleep(ctx, length)
	conn.DelTable(table)
	return errors.Join(err, conn.Flush())
}
