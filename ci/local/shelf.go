package local

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
)

// The shelf is one process that serves what builds take from and put back:
// the OCI registry and the mirrors of git sources.
const verbShelf = "shelf"

// shelfPorts are the ports that the shelf listens on, at loopback and at the
// gateway of the engine's containers, which cannot reach our loopback.
type shelfPorts struct {
	Gateway  string `json:"-"` // this machine's address as the engine's containers know it
	Registry int    `json:"registry"`
	Mirrors  int    `json:"mirrors"`
}

// The ports that are taken when they are free.
var wantedPorts = shelfPorts{Registry: 5000, Mirrors: 5080}

// registryAddress is how everybody names the registry: it is the same from
// this machine, from the engine's containers and from the cluster, so that an
// image has one name.
func (p shelfPorts) registryAddress() string {
	return fmt.Sprintf("%s:%d", p.Gateway, p.Registry)
}

func (p shelfPorts) mirrorURL() string {
	return fmt.Sprintf("http://%s:%d/", p.Gateway, p.Mirrors)
}

func (s State) portsFile() string { return s.Path("shelf.json") }

// startShelf starts registry and mirrors and waits until both answer.
func startShelf(ctx context.Context, o Options, gateway string) (shelfPorts, error) {
	ports, err := o.State.ports(gateway)
	if err != nil {
		return ports, err
	}
	return ports, o.State.start(ctx, daemon{
		Name: verbShelf, Own: true, Self: o.Self,
		Args: []string{verbShelf, o.State.Dir, gateway},
		Ready: func(ctx context.Context) error {
			if err := answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/v2/", ports.Registry)); err != nil {
				return err
			}
			return answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/", ports.Mirrors))
		},
	})
}

// ports gives the ports of the running shelf, else those of the last one or
// the wanted ones, each replaced by a free one when somebody else has it.
func (s State) ports(gateway string) (shelfPorts, error) {
	ports := wantedPorts
	ports.Gateway = gateway
	if b, err := os.ReadFile(s.portsFile()); err == nil {
		if err := json.Unmarshal(b, &ports); err != nil {
			return ports, fmt.Errorf("reading %s: %w", s.portsFile(), err)
		}
	}
	if s.running(verbShelf) {
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
	return ports, writeFile(s.portsFile(), b, 0o644)
}

// freePort gives the wanted port, or any other when that is taken.
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

// serveShelf serves until ctx ends.
func serveShelf(ctx context.Context, s State, gateway string) error {
	var ports shelfPorts
	b, err := os.ReadFile(s.portsFile())
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
	mirrors, err := MirrorHandler(s.MirrorsDir())
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
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
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

// answers says whether anything but a failure comes from the URL.
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
