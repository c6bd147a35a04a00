package smoke

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An IOC is asked where its environment has put it, but for the interfaces of
// hosts that a test does not run on.
func TestEnvironment(t *testing.T) {
	s := Subject{Env: map[string]string{
		"EPICS_CA_SERVER_PORT": "6064", "EPICS_CAS_INTF_ADDR_LIST": "10.1.2.3", "EPICS_PVA_BROADCAST_PORT": "6076",
		"SITE": "x",
	}}
	require.Equal(t, 6064, s.caPort())
	require.Equal(t, 6076, s.pvaPort())
	require.Equal(t, map[string]string{
		"EPICS_CA_SERVER_PORT": "6064", "EPICS_PVA_BROADCAST_PORT": "6076", "SITE": "x",
	}, s.env())
	s.Env["EPICS_CAS_SERVER_PORT"] = "7064"
	require.Equal(t, 7064, s.caPort(), "the server's own variable wins")
	require.Equal(t, 5064, Subject{}.caPort())
	require.Equal(t, 5076, Subject{Env: map[string]string{"EPICS_PVA_BROADCAST_PORT": "x"}}.pvaPort())
}

func TestProtocols(t *testing.T) {
	require.Equal(t, []string{"ca", "pva"}, Subject{}.protocols())
	require.Equal(t, []string{"ca", "pva"}, Subject{Protocol: "ca"}.protocols())
	require.Equal(t, []string{"pva"}, Subject{Protocol: "pva"}.protocols())
}
