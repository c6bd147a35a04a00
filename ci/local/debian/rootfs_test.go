package debian

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestArchives(t *testing.T) {
	a := readArchives("http://mirror.example.org/debian/\nhttp://other.example.org/apt/\n" +
		"http://mirror.example.org/debian-security/\n")
	require.Equal(t, archives{Main: "http://mirror.example.org/debian/",
		Security: "http://mirror.example.org/debian-security/"}, a)
	require.Equal(t, []string{
		"deb http://mirror.example.org/debian/ trixie main",
		"deb http://mirror.example.org/debian/ trixie-updates main",
		"deb http://mirror.example.org/debian-security/ trixie-security main",
	}, a.sources())
	require.Len(t, readArchives("http://mirror.example.org/debian/").sources(), 2)
	require.Empty(t, readArchives("").Main)
}
