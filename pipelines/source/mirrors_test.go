package source

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMirrorsTakeTheLongestPrefix(t *testing.T) {
	m, err := ParseMirrors([]string{"https://github.com/=http://a/", "https://github.com/epics-base/=http://b/"})
	require.NoError(t, err)
	require.Equal(t, "http://b/epics-base", m.Of("https://github.com/epics-base/epics-base"))
	require.Equal(t, "http://a/epics-modules/asyn", m.Of("https://github.com/epics-modules/asyn"))
	require.Equal(t, "https://example.org/x", m.Of("https://example.org/x"))
	m["https://gitlab.example.org/"] = "http://c/"
	require.Equal(
		t, Mirrors{"https://gitlab.example.org/": "http://c/"},
		m.sameHost("https://gitlab.example.org/x/y", "../z.git"),
	)
	require.Len(
		t, m.sameHost("https://github.com/epics-modules/asyn"), 2, "a relative submodule may be of another owner",
	)
	for _, bad := range []string{"https://github.com/", "https://github.com=http://a", "a/=b"} {
		_, err := ParseMirrors([]string{bad})
		require.Error(t, err, bad)
	}
}
