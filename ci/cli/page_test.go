package cli

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
)

// The page is served where it says, until Ctrl-C, which is how it ends well.
func TestThePageIsServedUntilCtrlC(t *testing.T) {
	server := clustertest.Start()
	defer server.Close()
	home := t.TempDir()
	kubeconfig := filepath.Join(home, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(server.Kubeconfig()), 0o600))
	env := func(name string) string { return map[string]string{"HOME": home}[name] }
	t.Chdir(home) // which names no registry
	ctx, cancel := context.WithCancel(t.Context())
	out, errs, ended := &shared{}, &shared{}, make(chan int)
	go func() {
		ended <- Main(ctx, Streams{Out: out, Err: errs}, env, []string{
			"page", "--listen", "127.0.0.1:0", "--kubeconfig", kubeconfig,
			"--link", "screens=https://x.example.org/{ioc}",
		})
	}()
	address := regexp.MustCompile(`^the page is at (http://127\.0\.0\.1:[0-9]+)\n$`)
	require.Eventually(
		t, func() bool { return address.MatchString(errs.String()) }, time.Minute, 10*time.Millisecond,
	)
	answer, err := http.Get(address.FindStringSubmatch(errs.String())[1])
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Contains(t, string(text), "<html")
	cancel()
	require.Zero(t, <-ended, errs.String())
	require.Empty(t, out.String())
	require.Regexp(t, address, errs.String(), "nothing else is said")
}
