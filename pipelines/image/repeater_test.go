package image

import (
	"bufio"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestQuietRepeater registers as clients of Channel Access do: with an empty
// datagram to the port that the environment names, which must be taken, or they
// would start a repeater. Then a second client does.
func TestQuietRepeater(t *testing.T) {
	program := compile(
		t, "-Itestdata/iocrun/include", "iocrun/repeater.cpp", "testdata/iocrun/quiet.cpp",
	)
	quiet := exec.CommandContext(t.Context(), program)
	stdout, err := quiet.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, quiet.Start())
	t.Cleanup(func() { _ = quiet.Wait() })
	port, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	port = strings.TrimSpace(port)
	_, err = net.ListenPacket("udp4", ":"+port)
	require.ErrorContains(t, err, "address already in use")
	for range 2 {
		client, err := net.Dial("udp4", "127.0.0.1:"+port)
		require.NoError(t, err)
		defer client.Close()
		_, err = client.Write(nil)
		require.NoError(t, err)
		require.NoError(t, client.SetReadDeadline(time.Now().Add(time.Minute)))
		reply := make([]byte, 64)
		n, err := client.Read(reply)
		require.NoError(t, err)
		require.Equal(t, "\x00\x11\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x00\x00\x01", string(reply[:n]))
	}
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
