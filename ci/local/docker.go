package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// The engine where Docker runs it: Dagger's own image, with a configuration of
// ours beside what Dagger would start by itself.
const (
	dockerEngine  = "tagline-engine" // names the container and the volume of its caches
	dockerImage   = "registry.dagger.io/engine"
	dockerAddress = "docker-container://" + dockerEngine
	dockerSocket  = "unix:///var/run/docker.sock"
)

// docker is Docker's API at a Unix socket.
type docker struct{ http *http.Client }

// newDocker takes DOCKER_HOST, or "" for the usual socket. Other machines'
// daemons are no use: they do not reach what runs here.
func newDocker(host string) (docker, error) {
	if host == "" {
		host = dockerSocket
	}
	socket, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return docker{}, fmt.Errorf("%s is not on this machine", host)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: probeLimit}).DialContext(ctx, "unix", socket)
	}
	return docker{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// errAbsent is Docker's word for a container, image or volume it has not.
var errAbsent = errors.New("the Docker daemon has none")

// call sends one request; the answer is read into into, if that is not nil.
func (d docker) call(ctx context.Context, method, path string, body, into any) error {
	var send []byte // nothing at all where there is nothing to say: Docker insists
	if body != nil {
		var err error
		if send, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://docker"+path, bytes.NewReader(send))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body) // a pull answers until it is done
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s", errAbsent, bytes.TrimSpace(answer))
	case resp.StatusCode >= 400:
		return fmt.Errorf("the Docker daemon says %s: %s", resp.Status, bytes.TrimSpace(answer))
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

// gateway is this machine's address on Docker's network: containers, and what
// the engine runs inside its own, reach us there.
func (d docker) gateway(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var bridge struct {
		IPAM struct{ Config []struct{ Gateway string } }
	}
	if err := d.call(ctx, http.MethodGet, "/networks/bridge", nil, &bridge); err != nil {
		return "", err
	}
	for _, c := range bridge.IPAM.Config {
		if ip := net.ParseIP(c.Gateway); ip != nil && ip.To4() != nil {
			return c.Gateway, nil
		}
	}
	return "", errors.New("the bridge network of Docker has no IPv4 gateway")
}

// offersEngine says why Docker cannot run the engine here; nil when it can.
func (d docker) offersEngine(ctx context.Context) error {
	err := d.call(ctx, http.MethodGet, "/images/"+dockerImage+":"+engineVersion+"/json", nil, nil)
	if !errors.Is(err, errAbsent) {
		return err
	}
	return reach(ctx, "https://registry.dagger.io/v2/", http.StatusOK, http.StatusUnauthorized)
}

// startInDocker starts the engine in Docker, and notes that it did for Down.
func startInDocker(ctx context.Context, o Options, ports shelfPorts, c choice) error {
	if err := (engine{Ports: ports, HubOut: c.Hub != nil}).writeConfig(o.State); err != nil {
		return err
	}
	if err := writeFile(o.State.dockerFile(), []byte(o.DockerHost), 0o644); err != nil {
		return err
	}
	return c.Docker.startEngine(ctx, o.State.Path("engine", "engine.json"))
}

// stopInDocker removes what startInDocker started, if it did.
func stopInDocker(ctx context.Context, s State, caches bool) error {
	host, err := os.ReadFile(s.dockerFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := newDocker(string(host))
	if err != nil {
		return err
	}
	err = d.removeEngine(ctx, caches)
	if gone := (*net.OpError)(nil); errors.As(err, &gone) {
		return nil // no Docker, so nothing runs in it
	}
	if err != nil {
		return fmt.Errorf("stopping the engine in Docker: %w", err)
	}
	return nil
}

func (s State) dockerFile() string { return s.Path("docker-host") }

// startEngine has the engine run with the given configuration file. One that
// runs is kept when it was started with the same.
func (d docker) startEngine(ctx context.Context, config string) error {
	b, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var found struct {
		State  struct{ Running bool }
		Config struct{ Labels map[string]string }
	}
	err = d.call(ctx, http.MethodGet, "/containers/"+dockerEngine+"/json", nil, &found)
	if err == nil && found.State.Running && found.Config.Labels["tagline.configuration"] == string(b) {
		return nil
	}
	if err != nil && !errors.Is(err, errAbsent) {
		return err
	}
	if err := d.removeEngine(ctx, false); err != nil {
		return err
	}
	create := map[string]any{
		"Image":  dockerImage + ":" + engineVersion,
		"Labels": map[string]string{"tagline.configuration": string(b)},
		"HostConfig": map[string]any{"Privileged": true,
			"Binds": []string{config + ":/etc/dagger/engine.json:ro", dockerEngine + ":/var/lib/dagger"}},
	}
	const path = "/containers/create?name=" + dockerEngine
	if err = d.call(ctx, http.MethodPost, path, create, nil); errors.Is(err, errAbsent) {
		pull := url.Values{"fromImage": {dockerImage}, "tag": {engineVersion}}
		if err := d.call(ctx, http.MethodPost, "/images/create?"+pull.Encode(), nil, nil); err != nil {
			return fmt.Errorf("pulling %s:%s: %w", dockerImage, engineVersion, err)
		}
		err = d.call(ctx, http.MethodPost, path, create, nil)
	}
	if err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodPost, "/containers/"+dockerEngine+"/start", nil, nil); err != nil {
		return err
	}
	return d.stays(ctx)
}

// stays waits a moment to see that the engine has not ended at once.
func (d docker) stays(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Second):
	}
	var now struct{ State struct{ Running bool } }
	if err := d.call(ctx, http.MethodGet, "/containers/"+dockerEngine+"/json", nil, &now); err != nil {
		return err
	}
	if !now.State.Running {
		return &diag.Error{Kind: diag.Broken, Doing: "starting the engine in Docker", Err: errors.New("it ended"),
			Fix: "read `docker logs " + dockerEngine + "`"}
	}
	return nil
}

// removeEngine removes the container, and its caches too if they are to go.
func (d docker) removeEngine(ctx context.Context, caches bool) error {
	err := d.call(ctx, http.MethodDelete, "/containers/"+dockerEngine+"?force=1", nil, nil)
	if caches && (err == nil || errors.Is(err, errAbsent)) {
		err = d.call(ctx, http.MethodDelete, "/volumes/"+dockerEngine, nil, nil)
	}
	if errors.Is(err, errAbsent) {
		return nil
	}
	return err
}
