package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/page"
)

// readsPVs serves the page, and reads the heartbeat of each IOC of a beamline there. The
// IOCs share the network of their node, so all but one have a port of their own.
func readsPVs(t *testing.T, s *site, line string) {
	t.Helper()
	address := servePage(t, s)
	type beamline struct {
		Context   string
		Namespace string
		Instances []struct{ Name string }
	}
	var view struct{ Beamlines []beamline }
	require.Eventually(t, func() bool {
		fetch(t, address+"/?format=json&beamline="+line, &view)
		return len(view.Beamlines) == 1 && len(view.Beamlines[0].Instances) > 1
	}, time.Minute, 100*time.Millisecond, "the page shows the beamline")
	servers := map[string]bool{}
	for _, ioc := range view.Beamlines[0].Instances {
		path, err := url.JoinPath("/iocs", view.Beamlines[0].Context, view.Beamlines[0].Namespace, ioc.Name)
		require.NoError(t, err)
		pv := strings.ToUpper(ioc.Name) + ":HEARTBEAT"
		read := func() page.Value {
			var detail struct{ PVs *page.PVs }
			fetch(t, address+path+"?pvs=now&format=json&pv="+pv, &detail)
			require.Empty(t, detail.PVs.Failed, ioc.Name)
			require.Len(t, detail.PVs.Values, 1, ioc.Name)
			servers[detail.PVs.Server] = true
			return detail.PVs.Values[0]
		}
		first := read()
		require.Equal(t, pv, first.Name)
		require.Empty(t, first.Failed, ioc.Name)
		require.NotEmpty(t, first.Value, ioc.Name)
		var later page.Value
		require.Eventually(t, func() bool {
			later = read()
			return later.Value != first.Value
		}, time.Minute, time.Second, "%s: it beats", pv)
		require.Equal(t, "NO_ALARM", later.Severity, ioc.Name)
		require.True(t, later.Time.After(first.Time), ioc.Name)
	}
	require.Len(t, servers, len(view.Beamlines[0].Instances), "each IOC was asked at its own port: %v", servers)
}

// servePage serves the page until the test ends, and returns its address.
func servePage(t *testing.T, s *site) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tagline, "page", "--listen", "127.0.0.1:0")
	cmd.Dir = s.dir
	says, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(says).ReadString('\n')
	require.NoError(t, err)
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "the page is at ")
	require.True(t, ok, line)
	return address
}

// fetch reads what the page answers into v.
func fetch(t *testing.T, address string, v any) {
	t.Helper()
	answer, err := http.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode, address)
	require.NoError(t, json.NewDecoder(answer.Body).Decode(v))
}
