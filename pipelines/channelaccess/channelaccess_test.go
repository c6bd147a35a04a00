package channelaccess

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at is the time of the values of a test.
var at = time.Date(2026, 11, 28, 5, 11, 7, 500_000_000, time.UTC)

// channelOf is a PV of a server that stands in: its native type, how many elements it
// has at most, and what it answers with.
type channelOf struct {
	native  uint16
	count   uint16
	answers func(ask message) message
}

// value answers with what was asked for: a value of severity MINOR and alarm HIGH.
func value(count uint32, data []byte) func(message) message {
	return func(ask message) message {
		stamped := make([]byte, map[uint16]int{timeString: 12, timeChar: 15, timeDouble: 16}[ask.kind])
		binary.BigEndian.PutUint16(stamped[0:], 4)
		binary.BigEndian.PutUint16(stamped[2:], 1)
		binary.BigEndian.PutUint32(stamped[4:], uint32(at.Unix()-epoch))
		binary.BigEndian.PutUint32(stamped[8:], uint32(at.Nanosecond()))
		return message{
			command: readNotify, kind: ask.kind, count: count, first: normal, second: ask.second,
			payload: append(stamped, data...),
		}
	}
}

func refuses(status uint32) func(message) message {
	return func(ask message) message { return message{command: readNotify, first: status, second: ask.second} }
}

// served are the PVs of the server that stands in.
var served = map[string]channelOf{
	"AI":     {nativeDouble, 1, value(1, doubles(3.25))},
	"FLOAT":  {nativeFloat, 1, value(1, doubles(float64(float32(0.1))))},
	"BI":     {3, 1, value(1, strings40("Open"))},
	"LATIN":  {0, 1, value(1, strings40("20 \xb0C\x07"))},
	"SMALL":  {5, 4, value(2, strings40("1", "2"))},
	"EMPTY":  {nativeDouble, 4, value(0, nil)},
	"LARGE":  {nativeDouble, 5000, value(16, doubles(make([]float64, 16)...))},
	"TEXT":   {nativeChar, 4000, value(256, append([]byte("/data/µ.h5"), make([]byte, 245)...))},
	"LONG":   {nativeChar, 4000, value(256, []byte("a"+strings.Repeat("µ", 128)))},
	"BYTES":  {nativeChar, 8, value(3, []byte{1, 255, 3})},
	"SECRET": {nativeDouble, 1, refuses(noReadAccess)},
	"BROKEN": {nativeDouble, 1, refuses(getFailed)},
	"ODD":    {nativeDouble, 1, refuses(192)},
	"SHORT": {nativeDouble, 1, func(ask message) message {
		return message{command: readNotify, kind: ask.kind, count: 1, first: normal, second: ask.second}
	}},
	"NONE": {nativeDouble, 1, value(1, nil)},
	"OTHER": {nativeDouble, 1, func(ask message) message {
		ask.kind = timeString
		return value(1, strings40("x"))(ask)
	}},
	"FAULT": {nativeDouble, 1, func(ask message) message {
		return message{command: failure, first: ask.second, second: 114, payload: ask.bytes()}
	}},
	"GONE": {nativeDouble, 1, func(ask message) message {
		return message{command: disconnected, first: ask.second}
	}},
}

func doubles(all ...float64) (data []byte) {
	for _, number := range all {
		data = binary.BigEndian.AppendUint64(data, math.Float64bits(number))
	}
	return data
}

func strings40(all ...string) (data []byte) {
	for _, text := range all {
		data = append(data, append([]byte(text), make([]byte, 40-len(text))...)...)
	}
	return data
}

// serve answers one connection as an IOC with these PVs does, until the client goes.
func serve(t *testing.T, connection net.Conn, all map[string]channelOf) {
	send := func(messages ...message) {
		for _, m := range messages {
			_, _ = connection.Write(m.bytes()) // the client went
		}
	}
	send(message{command: version, count: minorVersion})
	opened := map[uint32]channelOf{}
	for {
		m, err := readMessage(connection)
		if err != nil {
			return
		}
		switch m.command {
		case version, clientName:
		case createChan:
			channel, ok := all[strings.TrimRight(string(m.payload), "\x00")]
			if !ok {
				send(message{command: createFailed, first: m.first})
				continue
			}
			opened[m.first+1000] = channel
			send(message{command: 22, first: m.first, second: 1}, message{
				command: createChan, kind: channel.native, count: uint32(channel.count), first: m.first,
				second: m.first + 1000,
			})
		case readNotify:
			answer := opened[m.first].answers(m)
			for len(answer.payload)%8 != 0 {
				answer.payload = append(answer.payload, 0)
			}
			send(answer)
		default:
			t.Errorf("the client sent command %d", m.command)
		}
	}
}

// listen lets handle have each connection to an address that it returns.
func listen(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				handle(connection)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

func TestRead(t *testing.T) {
	server := listen(t, func(c net.Conn) { serve(t, c, served) })
	zeros := "[" + strings.Repeat("0,", 16) + "…]"
	for pv, want := range map[string]string{
		"AI": "3.25", "FLOAT": "0.1", "BI": "Open", "LATIN": "20 \uFFFDC\uFFFD", "SMALL": "[1,2]", "EMPTY": "[]",
		"LARGE": zeros, "TEXT": "/data/µ.h5", "LONG": "a" + strings.Repeat("µ", 127) + "…", "BYTES": "[1,255,3]",
	} {
		t.Run(pv, func(t *testing.T) {
			all, err := Read(t.Context(), server, []string{pv})
			require.NoError(t, err)
			require.Equal(t, []Answer{{PV: pv, Value: want, Severity: "MINOR", Alarm: "HIGH", Time: at}}, all)
		})
	}
	for pv, want := range map[string]string{
		"NOWHERE": "no such PV is served there", "SECRET": "denies reading", "BROKEN": "could not read it",
		"ODD": "status 192 of", "SHORT": "no value of the type", "NONE": "the answer has no value",
		"OTHER": "no value of the type", "FAULT": "status 114 of", "GONE": "closed the channel",
		"": "no name of a PV", strings.Repeat("x", 70_000): "no name of a PV",
	} {
		t.Run(want, func(t *testing.T) {
			all, err := Read(t.Context(), server, []string{"AI", pv})
			require.NoError(t, err)
			require.NoError(t, all[0].Err)
			require.ErrorContains(t, all[1].Err, want)
			require.Equal(t, pv, all[1].PV)
			require.Equal(t, pv == "NOWHERE", errors.Is(all[1].Err, ErrNotServed))
		})
	}
}

// Two questions for one PV are two answers, in the order of the questions.
func TestReadKeepsTheOrder(t *testing.T) {
	server := listen(t, func(c net.Conn) { serve(t, c, served) })
	all, err := Read(t.Context(), server, []string{"BI", "NOWHERE", "AI", "BI"})
	require.NoError(t, err)
	var values []string
	for _, a := range all {
		values = append(values, a.PV+"="+a.Value)
	}
	require.Equal(t, []string{"BI=Open", "NOWHERE=", "AI=3.25", "BI=Open"}, values)
}

// An IOC that hangs, dies or is none ends the reading: when the time is over, or at once.
func TestReadEnds(t *testing.T) {
	hello := message{command: version, count: minorVersion}.bytes()
	drain := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for name, c := range map[string]struct {
		handle func(c net.Conn, over func()) // over ends the time
		whole  string                        // the error of the address
		each   string                        // or that of each PV
	}{
		"it says nothing": {
			func(c net.Conn, over func()) {
				_, _ = io.ReadFull(c, make([]byte, headerSize))
				over()
				drain(c)
			}, "said nothing of Channel Access: no answer in time", "",
		},
		"it hangs": {
			func(c net.Conn, over func()) {
				hangs := channelOf{nativeDouble, 1, func(message) message { over(); drain(c); return message{} }}
				serve(t, c, map[string]channelOf{"AI": hangs, "BI": hangs})
			}, "", "no answer in time",
		},
		"it dies": {
			func(c net.Conn, _ func()) {
				_, _ = c.Write(hello)
				_, _ = io.ReadFull(c, make([]byte, 40))
			}, "", "connection",
		},
		"it is a web server": {
			func(c net.Conn, _ func()) {
				_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				drain(c)
			}, "said nothing of Channel Access: it sent a message of 21584 bytes", "",
		},
		"it sends without end": {
			func(c net.Conn, _ func()) {
				for {
					if _, err := c.Write(hello); err != nil {
						return
					}
				}
			}, "", "connection",
		},
		"it sends a long message": {
			func(c net.Conn, _ func()) {
				_, _ = c.Write(hello)
				long := binary.BigEndian.AppendUint32(message{kind: 1}.bytes(), 1<<31)
				binary.BigEndian.PutUint16(long[2:], extended)
				_, _ = c.Write(append(long, 0, 0, 0, 1))
				drain(c)
			}, "", "it sent a message of 2147483648 bytes, where 8192 are the most",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := listen(t, func(connection net.Conn) { c.handle(connection, cancel) })
			all, err := Read(ctx, server, []string{"AI", "BI"})
			if c.whole != "" {
				require.ErrorContains(t, err, c.whole)
				return
			}
			require.NoError(t, err)
			require.Len(t, all, 2)
			for _, a := range all {
				require.ErrorContains(t, a.Err, c.each)
			}
		})
	}
	_, err := Read(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), []string{"AI"})
	require.ErrorContains(t, err, "connection refused")
}

// FuzzSession lets a server send what it likes.
func FuzzSession(f *testing.F) {
	f.Fuzz(func(t *testing.T, sent []byte) {
		pvs := []string{"A", "B", "C"}
		var asked strings.Builder
		s := newSession(&asked, pvs)
		_ = s.run(strings.NewReader(string(sent)))
		require.Less(t, asked.Len(), 3*(headerSize+8)+100+3*headerSize, "each PV is asked for once")
		waiting := 0
		for i, a := range s.answers {
			require.Equal(t, pvs[i], a.PV)
			require.Less(t, len(a.Value), 4*mostElements*stringSize)
			if !s.channels[i].done {
				waiting++
			}
		}
		require.Equal(t, waiting, s.open)
	})
}
