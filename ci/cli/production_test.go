package cli_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/rhysd/actionlint"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/tutorialtest"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
)

// production is the tutorial whose servers are stand-ins here.
const production = "../../docs/tutorials/production.md"

// TestProductionIsTyped: every block of the page is one that a test types.
func TestProductionIsTyped(t *testing.T) {
	text, err := os.ReadFile(production)
	require.NoError(t, err)
	var infos []string
	for _, m := range regexp.MustCompile("(?m)^```(.+)$").FindAllStringSubmatch(string(text), -1) {
		infos = append(infos, m[1])
	}
	// The first makes keys that the last signs with, on an engine: ci/e2e types both.
	require.Equal(t, []string{
		"console", "console policy", "console github", "console gitlab", "console",
	}, infos)
}

// TestProductionPolicy types the first policy of a beamline, on a cluster without one.
func TestProductionPolicy(t *testing.T) {
	server := clustertest.New(t, node(clustertest.Node))
	home := t.TempDir()
	kubeconfig := filepath.Join(home, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(server.Kubeconfig()), 0o600))
	sh(t, home, atHome(home), "mkdir keys && cd keys && tagline key release.key && tagline key ajp.key")
	steps := tutorialtest.Commands(t, production, "console policy")
	tutorialtest.Follow(t, "production.md", steps, home, append(atHome(home), "KUBECONFIG="+kubeconfig))
	require.Contains(t, server.Names("configmaps"), "tagline-policy")
}

// TestBehindAFirewall: the command reaches a registry by its site's proxy alone, and
// trusts it by the authority of the site.
func TestBehindAFirewall(t *testing.T) {
	site := httptest.NewTLSServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(site.Close)
	home := t.TempDir()
	authority := filepath.Join(home, "authority.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw},
	), 0o600))
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "registry.example.com:443" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		asked.Add(1)
		tunnel(w, site.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	environ := append(atHome(home), "TAGLINE_REGISTRY=registry.example.com/iocs", "HTTPS_PROXY="+proxy.URL)
	record := "tagline record bl71t/1.0.0 2>&1 || true"
	require.Contains(t, sh(t, home, environ, record), "certificate")
	require.Positive(t, asked.Load())
	require.Contains(t, sh(t, home, append(environ, "SSL_CERT_FILE="+authority), record), "no such release")
}

// tunnel joins a client of a proxy with an address, until one of them ends.
func tunnel(w http.ResponseWriter, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(far, near); far.Close() }()
	_, _ = io.Copy(near, far)
}

// TestProductionOnServers types what is pushed to GitHub and GitLab, with git's own
// server behind their addresses, and looks at what came there.
func TestProductionOnServers(t *testing.T) {
	for site, address := range map[string]string{
		"github": "git@github.com:some-org/", "gitlab": "git@gitlab.com:some-group/",
	} {
		t.Run(site, func(t *testing.T) {
			home, server := t.TempDir(), t.TempDir()
			bare := filepath.Join(server, "bl71t.git")
			environ := atHome(home)
			sh(t, home, environ, `git config --global user.name Ada
git config --global user.email ada@example.org
git config --global url.`+server+`/.insteadOf `+address+`
git init -q --bare -b main `+bare+`
mkdir bl71t && cd bl71t
tagline init beamline bl71t --registry "$REGISTRY" --image 'ioc-first 1.0.0'
git init -q -b main && git add . && git commit -q -m "Begin bl71t"`)
			steps := tutorialtest.Commands(t, production, "console "+site)
			tutorialtest.Follow(t, "production.md", steps, home, environ)
			head := sh(t, bare, environ, "git rev-parse main")
			require.Equal(t, head, sh(t, bare, environ, "git rev-parse bl71t/1.1.0"))
			require.Contains(t, sh(t, bare, environ, "git ls-tree -r --name-only bl71t/1.1.0"), workflowOf[site])
			if site == "gitlab" {
				includesOurs(t, sh(t, bare, environ, "git show bl71t/1.1.0:.gitlab-ci.yml"))
			}
		})
	}
}

// workflowOf is the file that a server reads at a tag, to release it.
var workflowOf = map[string]string{"github": ".github/workflows/release.yml", "gitlab": ".gitlab-ci.yml"}

// includesOurs checks what a .gitlab-ci.yml includes: our file, at a version, with
// exactly the inputs that it has.
func includesOurs(t *testing.T, text string) {
	t.Helper()
	var site struct {
		Include []struct {
			Remote string
			Inputs map[string]string
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &site))
	require.Len(t, site.Include, 1)
	include := site.Include[0]
	version := include.Inputs["version"]
	path, ok := strings.CutPrefix(
		include.Remote, "https://raw.githubusercontent.com/tagline-ci/tagline/"+version+"/",
	)
	require.True(t, ok, include.Remote)
	ours, err := os.ReadFile(filepath.Join("../..", path))
	require.NoError(t, err)
	var spec struct {
		Spec struct{ Inputs map[string]any }
	}
	require.NoError(t, yaml.NewDecoder(strings.NewReader(string(ours))).Decode(&spec))
	require.Len(t, include.Inputs, len(spec.Spec.Inputs))
	require.Contains(t, spec.Spec.Inputs, "version")
}

// gh stands in for GitHub's own command, which machines without GitHub do not have: it
// takes `gh workflow run FILE -f INPUT=VALUE …` and refuses what GitHub refuses of it, by
// the file as it is on the branch that was pushed.
func gh() {
	if err := runWorkflow(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gh:", err)
		os.Exit(1)
	}
}

func runWorkflow(args []string) error {
	if len(args) < 3 || args[0] != "workflow" || args[1] != "run" {
		return fmt.Errorf("%q is no run of a workflow", args)
	}
	text, err := exec.Command("git", "show", "origin/main:.github/workflows/"+args[2]).Output()
	if err != nil {
		return fmt.Errorf("%s is not on the branch that was pushed: %w", args[2], err)
	}
	flags := pflag.NewFlagSet("gh workflow run", pflag.ContinueOnError)
	given := flags.StringToStringP("raw-field", "f", nil, "")
	if err := flags.Parse(args[3:]); err != nil {
		return err
	}
	workflow, faults := actionlint.Parse(text)
	if len(faults) > 0 {
		return faults[0]
	}
	for _, on := range workflow.On {
		byHand, ok := on.(*actionlint.WorkflowDispatchEvent)
		if !ok {
			continue
		}
		for input := range *given {
			if byHand.Inputs[input] == nil {
				return fmt.Errorf("unexpected input %q", input)
			}
		}
		for name, input := range byHand.Inputs {
			if _, ok := (*given)[name]; !ok && input.Required != nil && input.Required.Value && input.Default == nil {
				return fmt.Errorf("required input %q is not given", name)
			}
		}
		fmt.Println("made a run of", args[2])
		return nil
	}
	return fmt.Errorf("%s is not run by hand", args[2])
}

// atHome is the environment of a person who has nothing but a home and a registry.
func atHome(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "REGISTRY=registry.example.org/iocs"}
}

// sh runs a script in a folder, and returns what it prints.
func sh(t *testing.T, dir string, environ []string, script string) string {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
	bash.Dir, bash.Env = dir, environ
	out, err := bash.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
