package links

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestLinks(t *testing.T) {
	ioc := Of{Beamline: "bl01t", Namespace: "p45", IOC: "bl01t-mo-ioc-01", Version: "2026.11.1", Node: "ws 1/2"}
	for template, want := range map[string]string{
		"https://screens.example.org/{beamline}/{ioc}.bob": "https://screens.example.org/bl01t/bl01t-mo-ioc-01.bob",
		"https://logs.example.org/?q={node}&v={version}":   "https://logs.example.org/?q=ws+1%2F2&v=2026.11.1",
		"http://x:8080/{node}":                             "http://x:8080/ws%201%2F2",
		"https://x/{namespace}?pod={pod}":                  "https://x/p45?pod=",
		"https://{beamline}.example.org/":                  "https://bl01t.example.org/",
	} {
		all, err := Parse([]string{"screens=" + template, "logs=https://x/"})
		require.NoError(t, err, template)
		require.Len(t, all, 2)
		require.Equal(t, "screens", all[0].Name)
		require.Equal(t, want, all[0].For(ioc))
	}
	none, err := Parse(nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestLinksThatAreNone(t *testing.T) {
	for item, says := range map[string]string{
		"https://x/":                  "it is not a name and an address",
		"screens":                     "it is not a name and an address",
		"=https://x/":                 "it is not a name and an address",
		"screens=":                    "it is not a name and an address",
		"screens=javascript:alert(1)": "not one of http or https",
		"screens=/{ioc}":              "not one of http or https",
		"screens=https://x/{iocs}":    "{iocs} is none of {beamline}",
		"screens=https://a:b@x/{ioc}": "it has a login in it",
		"logs=https://y/":             "there is another link of that name",
	} {
		_, err := Parse([]string{"logs=https://x/", item})
		require.ErrorContains(t, err, says, item)
		require.ErrorContains(t, err, "write it as screens=")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

// What is put into an address stays in its place.
func FuzzFor(f *testing.F) {
	f.Add("bl01t-mo-ioc-01")
	f.Add("a/../b?c#d&e=f %")
	all, err := Parse([]string{"a=https://host/x/{ioc}", "b=https://host/?q={ioc}&z=1"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, name string) {
		require.Regexp(t, `^https://host/x/[^/?#]*$`, all[0].For(Of{IOC: name}))
		require.Regexp(t, `^https://host/\?q=[^&#]*&z=1$`, all[1].For(Of{IOC: name}))
	})
}
