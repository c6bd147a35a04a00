// Package channelaccess reads PVs of one IOC over Channel Access, at an address that
// is known: it searches for nothing and writes nothing.
package channelaccess

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

// Answer is what an IOC says of a PV.
type Answer struct {
	PV       string
	Value    string    // as text: "3.25", "Open"; of an array its first elements, "[1,2,…]"
	Severity string    // "NO_ALARM", "MINOR", "MAJOR" or "INVALID"
	Alarm    string    // its alarm status: "NO_ALARM", "HIHI", "UDF"
	Time     time.Time // of the value; zero where its record was never processed
	Err      error     // why there is none of these; nil where there are
}

// ErrNotServed is the error of a PV that the IOC does not have.
var ErrNotServed = errors.New("no such PV is served there")

// mostBytes is what an IOC may send in all: fifty arrays are a twentieth of it.
const mostBytes = 1 << 20

// Read asks the IOC at a TCP address for PVs, all over one connection, and returns an
// answer for each, in their order. It takes no longer than ctx allows, so that has
// a deadline. The error is that of an address where nothing speaks Channel Access.
func Read(ctx context.Context, server netip.AddrPort, pvs []string) ([]Answer, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	stop := context.AfterFunc(ctx, func() { _ = connection.SetDeadline(time.Unix(1, 0)) }) // it ends what waits
	defer stop()
	s := newSession(connection, pvs)
	err = s.run(io.LimitReader(connection, mostBytes))
	switch {
	case err == nil:
		return s.answers, nil
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		err = errors.New("no answer in time")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the connection was closed")
	}
	if !s.greeted {
		return nil, fmt.Errorf("it took the connection and said nothing of Channel Access: %w", err)
	}
	for i := range s.answers {
		if !s.channels[i].done {
			s.answers[i].Err = err
		}
	}
	return s.answers, nil
}
