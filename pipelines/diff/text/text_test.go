package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want []string
	}{
		"the same":      {"a\nb\n", "a\nb\n", nil},
		"one changed":   {"a\nb\nc\n", "a\nB\nc\n", []string{"-b", "+B"}},
		"one more":      {"a\n", "a\nb\n", []string{"+b"}},
		"one less":      {"a\nb\n", "b\n", []string{"-a"}},
		"no last end":   {"a", "b", []string{"-a", "+b"}},
		"ends of lines": {"a\r\n", "b\r\n", []string{"-a", "+b"}},
		"from nothing":  {"", "a\n", []string{"+a"}},
		"no text":       {"a\x00", "b\x00", nil},
		"no UTF-8":      {"a\xff", "b", nil},
		"much too long": {strings.Repeat("a\n", longest/2), "b\n", nil},
	} {
		require.Equal(t, c.want, Lines([]byte(c.a), []byte(c.b)), name)
	}
}
