package smoke

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"unicode/utf8"

	"dagger.io/dagger"
)

// config is the IOC's config folder in the engine, byte for byte. The engine
// takes text only, so anything else goes in as base64 and is decoded there.
func (t Tester) config(s Subject) *dagger.Directory {
	folder := t.Client.Directory()
	for _, name := range sortedKeys(s.Config) {
		content := s.Config[name]
		if utf8.Valid(content) {
			folder = folder.WithNewFile(name, string(content))
			continue
		}
		decoded := s.Runtime.WithUser("root").
			WithNewFile("/smoke/in", base64.StdEncoding.EncodeToString(content)).
			WithExec([]string{"base64", "-d", "/smoke/in"}, dagger.ContainerWithExecOpts{RedirectStdout: "/smoke/out"}).
			File("/smoke/out")
		folder = folder.WithFile(name, decoded, dagger.DirectoryWithFileOpts{Permissions: 0o644})
	}
	return folder
}

// interfaces are variables that name interfaces of the beamline's hosts, which no
// container of a test has: an IOC that was bound to one would serve nobody.
var interfaces = []string{"EPICS_CAS_INTF_ADDR_LIST", "EPICS_PVAS_INTF_ADDR_LIST"}

// env is the IOC's environment as far as it means the same in a container.
func (s Subject) env() map[string]string {
	all := map[string]string{}
	for name, value := range s.Env {
		if !slices.Contains(interfaces, name) {
			all[name] = value
		}
	}
	return all
}

// port returns the port that one of the variables sets, the first that is set,
// or the usual one.
func (s Subject) port(usual int, names ...string) int {
	for _, name := range names {
		if port, err := strconv.Atoi(s.Env[name]); err == nil && port > 0 {
			return port
		}
	}
	return usual
}

// caPort is the TCP and UDP port of the IOC's Channel Access server.
func (s Subject) caPort() int { return s.port(5064, "EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT") }

// pvaPort is the UDP port at which the IOC's pvAccess server is searched for.
func (s Subject) pvaPort() int {
	return s.port(5076, "EPICS_PVAS_BROADCAST_PORT", "EPICS_PVA_BROADCAST_PORT")
}

// protocols are those that every check is asked over. An instance that is probed
// over pvAccess need not serve Channel Access.
func (s Subject) protocols() []string {
	if cmp.Or(s.Protocol, "ca") == "pva" {
		return []string{"pva"}
	}
	return []string{"ca", "pva"}
}
