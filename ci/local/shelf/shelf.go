// Package shelf is one process that serves what builds take from and put back:
// an OCI registry and the mirrors of git sources.
package shelf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// Verb is the verb of `tagline serve` that serves a shelf; it names the daemon
// too.
const Verb = "shelf"

// Ports are the ports that the shelf listens on, at loopback and at the
// gateway of the engine's containers, which cannot reach our loopback.
type Ports struct {
	Gateway  string `json:"-"` // this machine's address as the engine's containers know it
	Registry int    `json:"registry"`
	Mirrors  int    `json:"mirrors"`
}

// The ports that are taken when they are free.
var wantedPorts = Ports{Registry: 5000, Mirrors: 5080}

// RegistryAddress is how everybody names the registry: it is the same from
// this machine, from the engine's containers and from the cluster, so that an
// image has one name.
func (p Ports) RegistryAddress() string {
	return fmt.Sprintf("%s:%d", p.Gateway, p.Registry)
}

// MirrorURL is where the mirrors are served: "http://10.87.0.1:5080/".
func (p Ports) MirrorURL() string {
	return fmt.Sprintf("http://%s:%d/", p.Gateway, p.Mirrors)
}

func portsFile(s state.Dir) string { return s.Path("shelf.json") }

// Start starts registry and mirrors and waits until both answer.
func Start(ctx context.Context, s state.Dir, self []string, gateway string) (Ports, error) {
	ports, err := choosePorts(s, gateway)
	if err != nil {
		return ports, err
	}
	return ports, process.Start(ctx, s, process.Daemon{
		Name: Verb, Own: true, Self: self,
		Args: []string{Verb, string(s), gateway},
		Ready: func(ctx context.Context) error {
			if err := answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/v2/", ports.Registry)); err != nil {
				return err
			}
			return answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/", ports.Mirrors))
		},
	})
}

// choosePorts returns the ports of the running shelf, else those of the last one
// or the wanted ones, each replaced by a free one when somebody else has it.
func choosePorts(s state.Dir, gateway string) (Ports, error) {
	ports := wantedPorts
	ports.Gateway = gateway
	if b, err := os.ReadFile(portsFile(s)); err == nil {
		if err := json.Unmarshal(b, &ports); err != nil {
			return ports, fmt.Errorf("reading %s: %w", portsFile(s), err)
		}
	}
	if process.Running(s, Verb) {
		return ports, nil
	}
	for _, p := range []*int{&ports.Registry, &ports.Mirrors} {
		free, err := freePort(gateway, *p)
		if err != nil {
			return ports, err
		}
		*p = free
	}
	b, err := json.Marshal(ports)
	if err != nil {
		return ports, err
	}
	return ports, state.WriteFile(portsFile(s), b, 0o644)
}

// Stop ends the shelf. What it served stays in the state directory.
func Stop(ctx context.Context, s state.Dir) error { return process.Stop(ctx, s, Verb) }

// freePort returns the wanted port, or any other when that is taken.
func freePort(gateway string, wanted int) (int, error) {
	for _, port := range []int{wanted, 0} {
		ls, err := listen(gateway, port)
		if err != nil {
			continue
		}
		got := ls[0].Addr().(*net.TCPAddr).Port
		for _, l := range ls {
			l.Close()
		}
		return got, nil
	}
	return 0, fmt.Errorf("no port can be listened on at %s and 127.0.0.1", gateway)
}

// listen opens a port at loopback and at the gateway. The gateway's address
// need not exist yet: the engine's network may come and go.
func listen(gateway string, port int) ([]net.Listener, error) {
	var ls []net.Listener
	anyway := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	for _, ip := range []string{"127.0.0.1", gateway} {
		l, err := anyway.Listen(context.Background(), "tcp", fmt.Sprintf("%s:%d", ip, port))
		if err != nil {
			for _, l := range ls {
				l.Close()
			}
			return nil, err
		}
		ls = append(ls, l)
		port = l.Addr().(*net.TCPAddr).Port
	}
	return ls, nil
}

// Serve serves until ctx ends.
func Serve(ctx context.Context, s state.Dir, gateway string) error {
	var ports Ports
	b, err := os.ReadFile(portsFile(s))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &ports); err != nil {
		return err
	}
	registry, err := registryHandler(ctx, s.Path("registry"))
	if err != nil {
		return err
	}
	mirrors, err := MirrorHandler(s.Mirrors())
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for port, h := range map[int]http.Handler{ports.Registry: registry, ports.Mirrors: mirrors} {
		ls, err := listen(gateway, port)
		if err != nil {
			return fmt.Errorf("listening: %w; another process took the port: run `tagline up` again", err)
		}
		for _, l := range ls {
			serve(ctx, g, l, h)
		}
	}
	return g.Wait()
}

func serve(ctx context.Context, g *errgroup.Group, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(end)
		return srv.Close()
	})
}

// answers returns why nobody serves the URL: anything but a failure will do.
func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= 500 {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
