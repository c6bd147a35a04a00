package pods

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestKeyboardDropsWhatWouldStopAnIOC(t *testing.T) {
	for name, c := range map[string]struct {
		typed, passed string
		left          bool
	}{
		"a command":            {"dbl\r", "dbl\r", false},
		"the shell's history":  {"\x10\x11", "\x10\x11", false},
		"keys that stop":       {"db\x03l\x04\x1c\x1a\r", "dbl\r", false},
		"leaving":              {"dbl\r\x1dexit\r", "dbl\r", true},
		"leaving at once":      {"\x1d", "", true},
		"only what is dropped": {"\x03\x03", "", false},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "key by key": iotest.OneByteReader,
			"with its end": iotest.DataErrReader,
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				left := false
				passed, err := io.ReadAll(
					&keyboard{in: wrap(strings.NewReader(c.typed)), leave: func() { left = true }},
				)
				require.NoError(t, err)
				require.Equal(t, c.passed, string(passed))
				require.Equal(t, c.left, left)
			})
		}
	}
}

func TestKeyboardTellsOfABrokenTerminal(t *testing.T) {
	broken := errors.New("hung up")
	_, err := io.ReadAll(&keyboard{in: iotest.ErrReader(broken), leave: func() {}})
	require.ErrorIs(t, err, broken)
}
