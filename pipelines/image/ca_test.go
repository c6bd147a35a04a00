package image

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// message is one of Channel Access, but for its payload.
type message struct{ Command, Size, Type, Count, First, Second uint32 }

// bytes returns the message with 8 bytes of payload, or with none.
func (m message) bytes(payload string) []byte {
	raw := binary.BigEndian.AppendUint16(nil, uint16(m.Command))
	for _, n := range []uint32{uint32(len(payload)), m.Type, m.Count} {
		raw = binary.BigEndian.AppendUint16(raw, uint16(n))
	}
	raw = binary.BigEndian.AppendUint32(raw, m.First)
	return append(binary.BigEndian.AppendUint32(raw, m.Second), payload...)
}

// readMessage reads what the probe sends.
func readMessage(from io.Reader) (m message, payload string, err error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(from, raw); err != nil {
		return m, "", err
	}
	word := func(at int) uint32 { return uint32(binary.BigEndian.Uint16(raw[at:])) }
	m = message{word(0), word(2), word(4), word(6), binary.BigEndian.Uint32(raw[8:]), binary.BigEndian.Uint32(raw[12:])}
	text := make([]byte, m.Size)
	_, err = io.ReadFull(from, text)
	return m, string(text), err
}

// Commands of Channel Access.
const (
	readNotify   = 15
	createChan   = 18
	createFailed = 26
)

// serve plays a server for one connection: it checks what comes and answers the
// values, each in parts, then closes the connection. Without values it has no such PV.
func serve(conn net.Conn, values ...string) error {
	defer conn.Close()
	for {
		m, payload, err := readMessage(conn)
		if err != nil {
			return err
		}
		switch {
		case m.Command == createChan && payload != "X\x00\x00\x00\x00\x00\x00\x00":
			return fmt.Errorf("a channel to %q is asked for", payload)
		case m.Command == createChan && len(values) == 0:
			_, err := conn.Write(message{Command: createFailed}.bytes(""))
			return err
		case m.Command == createChan:
			_, err = conn.Write(message{Command: createChan, Type: 5, Count: 40, First: m.First, Second: 77}.bytes(""))
		case m.Command == readNotify && (m.First != 77 || m.Type != 5 || m.Count != 1):
			return fmt.Errorf("the question is %+v", m)
		case m.Command == readNotify && len(values) == 0:
			return nil
		case m.Command == readNotify:
			reply := message{Command: readNotify, Type: 5, Count: 1, First: 1}.bytes(values[0])
			values = values[1:]
			for i := range reply {
				if _, err = conn.Write(reply[i : i+1]); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

// TestCAProbe asks a server that has no such PV at first, answers, and goes away in
// between.
func TestCAProbe(t *testing.T) {
	program := compile(t, "-Itestdata/iocrun/include", "iocrun/ca.cpp", "testdata/iocrun/asks.cpp")
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	asks := exec.CommandContext(t.Context(), program, server.Addr().String())
	stdout, err := asks.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, asks.Start())
	t.Cleanup(func() { _ = asks.Wait() })
	said := bufio.NewScanner(stdout)
	says := func(text string) {
		t.Helper()
		for said.Scan() {
			if said.Text() == text {
				return
			}
		}
		t.Fatalf("it never says %q: %v", text, said.Err())
	}
	accept := func() net.Conn {
		t.Helper()
		conn, err := server.Accept()
		require.NoError(t, err)
		return conn
	}
	require.NoError(t, serve(accept()))
	says("0 0")
	require.NoError(t, serve(accept(), "one     ", "one     ", "two     "))
	says("3 1")
	require.NoError(t, serve(accept(), "two     ", "three   "))
	says("5 2")
}

// compile compiles C++ with strict warnings and returns the program.
func compile(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it compiles C++")
	}
	program := filepath.Join(t.TempDir(), "program")
	args = append([]string{"-std=c++17", "-Wall", "-Wextra", "-Werror", "-Iiocrun", "-o", program}, args...)
	out, err := exec.CommandContext(t.Context(), "g++", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}
