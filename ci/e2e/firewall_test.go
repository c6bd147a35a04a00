package e2e

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/tagline-ci/tagline/ci/local"
	standin "github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/ci/tutorialtest"
)

// TestBehindAFirewall pins what a recipe names as production.md says, at a site whose
// network has a proxy and nothing else: no route, no names. Behind the proxy are the site's
// registry, which wants a password, its mirror of git repositories, both with certificates
// of the site's own authority, and its copy of Debian's packages. Whatever else was asked
// for would fail.
func TestBehindAFirewall(t *testing.T) {
	if i := slices.IndexFunc(env.Parts, func(p local.Part) bool { return p.Part == "engine" }); i < 0 ||
		env.Parts[i].Choice != "stand-in" {
		t.Skip("the engine was not built here")
	}
	w := newFirewall(t)
	w.push("library/debian:trixie-slim") // the root image, and what the engine takes for docker.io's
	second := w.engine()
	home := t.TempDir()
	environ := []string{
		"PATH=" + filepath.Dir(tagline) + ":" + os.Getenv("PATH"), "HOME=" + home, "TAGLINE_STATE=" + home,
		"HTTPS_PROXY=" + w.proxy.URL, "SSL_CERT_FILE=" + w.authority(home),
		"TAGLINE_REGISTRY_USERNAME=ada", "TAGLINE_REGISTRY_PASSWORD=" + sitePassword,
		"TAGLINE_MIRRORS=https://github.com/=https://" + gitHost + "/mirror/",
		"_EXPERIMENTAL_DAGGER_RUNNER_HOST=" + second.Address(), "_EXPERIMENTAL_DAGGER_CLI_BIN=" + env.CLIBin,
		"DO_NOT_TRACK=1", "DAGGER_NO_NAG=1",
	}
	out := tutorialtest.Shell(t, home, environ, `mkdir site && cd site
tagline init site --registry `+registryHost+`/iocs
cat > generic-iocs/epics-base/image.yaml <<'END'
from: `+registryHost+`/library/debian:trixie-slim
modules:
  epics-base: R7.0.8.1
packages:
  build: [make]
END
cat > generic-iocs/support/epics-base.yaml <<'END'
git: https://github.com/epics-base/epics-base
macro: EPICS_BASE
END
git init -q -b main
tagline lock
cat generic-iocs/epics-base/image.lock.yaml`)
	t.Log(out)
	require.Contains(t, out, registryHost+"/library/debian:trixie-slim@sha256:")
	require.NotContains(t, out, sitePassword)
	_, refused := w.rules.Asked()
	t.Logf("the proxy refused %q", refused)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range []string{"/v2/library/debian/", "/mirror/epics-base/"} {
		there := func(asked string) bool { return strings.HasPrefix(asked, path) }
		require.True(t, slices.ContainsFunc(w.asked, there), path)
	}
}

// The names of the site, which the proxy alone knows. The certificate of httptest is theirs.
const (
	registryHost = "registry.example.com"
	gitHost      = "git.example.com"
	sitePassword = "registry-password-of-a-site"
)

// The two ends of the only wire into the network behind the firewall.
const (
	outside = "10.89.0.1/30"
	inside  = "10.89.0.2/30"
)

// firewall is a site's network, its proxy, and what is behind that.
type firewall struct {
	t       *testing.T
	network string           // the file that holds the network
	proxy   *httptest.Server // at the outside of the wire
	servers *httptest.Server // registry and mirror
	rules   *tutorialtest.Proxy

	mu    sync.Mutex
	asked []string // paths at the servers
}

func newFirewall(t *testing.T) *firewall {
	w := &firewall{t: t, network: filepath.Join(t.TempDir(), "network")}
	w.wire()
	blobs := ggcr.NewDiskBlobHandler(t.TempDir())
	images := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithBlobHandler(blobs))
	mirrors, err := shelf.MirrorHandler(w.repository())
	require.NoError(t, err)
	w.servers = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.URL.Path)
		w.mu.Unlock()
		user, password, _ := r.BasicAuth()
		switch {
		case r.Host == gitHost:
			http.StripPrefix("/mirror", mirrors).ServeHTTP(rw, r)
		case user != "ada" || password != sitePassword:
			rw.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			rw.WriteHeader(http.StatusUnauthorized)
		default:
			images.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(w.servers.Close)
	host, _, _ := strings.Cut(outside, "/")
	at, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	require.NoError(t, err)
	w.rules = &tutorialtest.Proxy{Plain: debianHosts(t), Tunnels: map[string]string{
		registryHost + ":443": w.servers.Listener.Addr().String(), gitHost + ":443": w.servers.Listener.Addr().String(),
	}}
	w.proxy = httptest.NewUnstartedServer(w.rules)
	w.proxy.Listener = at
	w.proxy.Start()
	t.Cleanup(w.proxy.Close)
	return w
}

// debianHosts returns the hosts from which this machine, and so its base image, has Debian.
func debianHosts(t *testing.T) (all []string) {
	archives, err := exec.Command("apt-get", "indextargets", "--format", "$(SITE)").Output()
	require.NoError(t, err)
	for site := range strings.FieldsSeq(string(archives)) {
		address, err := url.Parse(site)
		require.NoError(t, err)
		all = append(all, address.Hostname())
	}
	return all
}

// wire makes a network of the kernel, and a wire from this machine into it.
func (w *firewall) wire() {
	t := w.t
	require.NoError(t, os.WriteFile(w.network, nil, 0o600))
	out, err := exec.Command("unshare", "--net="+w.network, "true").CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", w.network).Run()) })
	there, err := netns.GetFromPath(w.network)
	require.NoError(t, err)
	defer there.Close()
	wire := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "tagline-site"}, PeerName: "site"}
	wire.PeerNamespace = netlink.NsFd(there)
	require.NoError(t, netlink.LinkAdd(wire))
	t.Cleanup(func() { _ = netlink.LinkDel(wire) }) // it may have gone with the network
	up := func(h *netlink.Handle, name, address string) {
		link, err := h.LinkByName(name)
		require.NoError(t, err)
		if address != "" {
			addr, err := netlink.ParseAddr(address)
			require.NoError(t, err)
			require.NoError(t, h.AddrAdd(link, addr))
		}
		require.NoError(t, h.LinkSetUp(link))
	}
	here, err := netlink.NewHandle()
	require.NoError(t, err)
	defer here.Close()
	behind, err := netlink.NewHandleAt(there)
	require.NoError(t, err)
	defer behind.Close()
	up(here, "tagline-site", outside)
	up(behind, "lo", "")
	up(behind, "site", inside)
}

// repository makes the mirror's only repository, one that has nothing to build, and returns
// the folder of repositories.
func (w *firewall) repository() string {
	dir := w.t.TempDir()
	tutorialtest.Shell(w.t, dir, append(os.Environ(), "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org"), `git init -q -b main work
mkdir work/configure
echo Licence > work/LICENSE
touch work/configure/RULES_DIRS
cd work && git add . && git commit -q -m "Base" && git tag R7.0.8.1
git clone -q --bare . ../epics-base/epics-base.git && rm -r ../work`)
	return dir
}

// authority writes the certificates that are trusted at the site into a folder.
func (w *firewall) authority(dir string) string {
	file := filepath.Join(dir, "site.crt")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: w.servers.Certificate().Raw}
	require.NoError(w.t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return file
}

// push copies the base image of this machine into the site's registry.
func (w *firewall) push(image string) {
	t := w.t
	from := "docker.io/" + image
	for _, p := range env.Parts {
		if p.Part == "base image" {
			from = p.Address
		}
	}
	source, err := name.ParseReference(from, name.Insecure)
	require.NoError(t, err)
	debian, err := remote.Image(source)
	require.NoError(t, err)
	to, err := name.ParseReference(registryHost + "/" + image)
	require.NoError(t, err)
	transport := w.servers.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = nil
	transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(w.proxy.URL) }
	login := remote.WithAuth(&authn.Basic{Username: "ada", Password: sitePassword})
	require.NoError(t, remote.Write(to, debian, login, remote.WithTransport(transport)))
}

// engine starts an engine in the network, with what production.md says that one needs.
func (w *firewall) engine() standin.Second {
	t := w.t
	dir, err := state.FromEnvironment(os.Getenv)
	require.NoError(t, err)
	folder := t.TempDir()
	w.authority(folder)
	second := standin.Second{
		State: dir, Self: []string{"nsenter", "--net=" + w.network, tagline, "serve"},
		Settings: map[string]any{
			"registries": map[string]any{"docker.io": map[string]any{"mirrors": []string{registryHost}}},
		},
		Authorities: folder,
		Env:         []string{"HTTPS_PROXY=" + w.proxy.URL, "HTTP_PROXY=" + w.proxy.URL},
	}
	t.Cleanup(func() { require.NoError(t, second.Remove(context.Background())) })
	require.NoError(t, second.Start(t.Context()))
	return second
}
