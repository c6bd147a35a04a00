package pods

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuestion(t *testing.T) {
	require.Equal(t, []string{
		"/usr/bin/env", "EPICS_CA_ADDR_LIST=127.255.255.255", "EPICS_CA_AUTO_ADDR_LIST=NO", "caget", "-t", "-w", "3",
		"BL01T:X",
	}, question("BL01T:X", "ca"))
	require.Equal(
		t, []string{"/usr/bin/env", "EPICS_PVA_AUTO_ADDR_LIST=YES", "pvget", "-w", "3", "BL01T:X"},
		question("BL01T:X", "pva"),
	)
}

func TestAnswer(t *testing.T) {
	require.Equal(t, "5", answer("BL01T:X", "ca", "5\n"))
	require.Equal(t, "2026-11-23 13:00:00.000 5", answer("BL01T:X", "pva", "BL01T:X 2026-11-23 13:00:00.000  5 \n"))
	require.Empty(t, answer("BL01T:X", "ca", " \n"))
}
