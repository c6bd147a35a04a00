package cli_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/tutorialtest"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
)

// production is the tutorial whose servers are stand-ins here.
const production = "../../docs/tutorials/production.md"

// TestProductionIsTyped: every block of the page is one that a test types. One that can't be
// typed says why behind "console by-hand", and stands in this list too.
func TestProductionIsTyped(t *testing.T) {
	text, err := os.ReadFile(production)
	require.NoError(t, err)
	var infos []string
	for _, m := range regexp.MustCompile("(?m)^```(.+)$").FindAllStringSubmatch(string(text), -1) {
		infos = append(infos, m[1])
	}
	// The first makes keys that the last signs with, on an engine: ci/e2e types both. It
	// types the others too, and does what the servers do then.
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
	tutorialtest.Shell(t, home, atHome(home), "mkdir keys && cd keys && tagline key release.key && tagline key ajp.key")
	steps := tutorialtest.Commands(t, production, "console policy")
	tutorialtest.Follow(t, "production.md", steps, home, append(atHome(home), "KUBECONFIG="+kubeconfig))
	require.Contains(t, server.Names("configmaps"), "tagline-policy")
}

// TestBehindAFirewall: the command reaches a registry by its site's proxy alone, trusts it
// by the authority of the site, and signs in there. What NO_PROXY names is asked directly.
func TestBehindAFirewall(t *testing.T) {
	images := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "of-a-site" {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	t.Cleanup(site.Close)
	home := t.TempDir()
	authority := filepath.Join(home, "authority.pem")
	require.NoError(t, os.WriteFile(authority, pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw},
	), 0o600))
	proxy := &tutorialtest.Proxy{Tunnels: map[string]string{
		"registry.example.com:443": site.Listener.Addr().String(),
	}}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	environ := append(atHome(home), "TAGLINE_REGISTRY=registry.example.com/iocs", "HTTPS_PROXY="+server.URL)
	const record = "tagline record bl71t/1.0.0 2>&1 || true"
	require.Contains(t, tutorialtest.Shell(t, home, environ, record), "certificate")
	environ = append(environ, "SSL_CERT_FILE="+authority)
	require.Contains(t, tutorialtest.Shell(t, home, environ, record), "log in: ")
	environ = append(environ, "TAGLINE_REGISTRY_USERNAME=ada", "TAGLINE_REGISTRY_PASSWORD=of-a-site")
	require.Contains(t, tutorialtest.Shell(t, home, environ, record), "no such release")
	passed, refused := proxy.Asked()
	require.NotEmpty(t, passed)
	require.Empty(t, refused)
	tutorialtest.Shell(t, home, append(environ, "TAGLINE_REGISTRY=elsewhere.example.com/iocs"), record)
	again, refused := proxy.Asked()
	require.Equal(t, passed, again)
	require.Contains(t, refused, "elsewhere.example.com:443")
	tutorialtest.Shell(t, home, append(environ, "NO_PROXY=.example.com"), record)
	direct, _ := proxy.Asked()
	require.Equal(t, passed, direct, "what NO_PROXY names goes through the proxy")
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
			tutorialtest.Shell(t, home, environ, `git config --global user.name Ada
git config --global user.email ada@example.org
git config --global url.`+server+`/.insteadOf `+address+`
git init -q --bare -b main `+bare+`
mkdir bl71t && cd bl71t
tagline init beamline bl71t --registry "$REGISTRY" --image 'ioc-first 1.0.0'
git init -q -b main && git add . && git commit -q -m "Begin bl71t"`)
			steps := tutorialtest.Commands(t, production, "console "+site)
			tutorialtest.Follow(t, "production.md", steps, home, environ)
			head := tutorialtest.Shell(t, bare, environ, "git rev-parse main")
			require.Equal(t, head, tutorialtest.Shell(t, bare, environ, "git rev-parse bl71t/1.1.0"))
			pushed := tutorialtest.Shell(t, bare, environ, "git ls-tree -r --name-only bl71t/1.1.0")
			require.Contains(t, pushed, workflowOf[site])
			if site == "gitlab" {
				includesOurs(t, tutorialtest.Shell(t, bare, environ, "git show bl71t/1.1.0:.gitlab-ci.yml"))
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

// atHome is the environment of a person who has nothing but a home and a registry.
func atHome(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "REGISTRY=registry.example.org/iocs"}
}
