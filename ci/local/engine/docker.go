package engine

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

	"github.com/tagline-ci/tagline/ci/local/reach"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// The engine where Docker runs it: Dagger's own image, with a configuration of
// ours beside what Dagger would start by itself.
const (
	dockerName  = "tagline-engine" // names the container and the volume of its caches
	dockerImage = "registry.dagger.io/engine"
	// DockerAddress is the engine of StartInDocker.
	DockerAddress = "docker-container://" + dockerName
	dockerSocket  = "unix:///var/run/docker.sock"
)

// Docker is Docker's API at a Unix socket.
type Docker struct{ http *http.Client }

// NewDocker takes DOCKER_HOST, or "" for the usual socket. Other machines'
// daemons are no use: they do not reach what runs here.
func NewDocker(host string) (Docker, error) {
	if host == "" {
		host = dockerSocket
	}
	socket, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return Docker{}, fmt.Errorf("%s is not on this machine", host)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: reach.Limit}).DialContext(ctx, "unix", socket)
	}
	return Docker{&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// errAbsent is Docker's word for a container, image or volume it has not.
var errAbsent = errors.New("the Docker daemon has none")

// call sends one request; the answer is read into into, if that is not nil.
func (d Docker) call(ctx context.Context, method, path string, body, into any) error {
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
		return reach.WithoutURL(err)
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

// Gateway returns this machine's address on Docker's network: containers, and what
// the engine runs inside its own, reach us there.
func (d Docker) Gateway(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, reach.Limit)
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

// OffersEngine returns why Docker cannot run the engine here; nil when it can.
func (d Docker) OffersEngine(ctx context.Context) error {
	err := d.call(ctx, http.MethodGet, "/images/"+dockerImage+":"+version+"/json", nil, nil)
	if !errors.Is(err, errAbsent) {
		return err
	}
	return reach.Site(ctx, "https://registry.dagger.io/v2/", http.StatusOK, http.StatusUnauthorized)
}

// StartInDocker starts the engine in the Docker of DOCKER_HOST, and writes down
// that it did for StopInDocker.
func StartInDocker(ctx context.Context, o Options, dockerHost string) error {
	d, err := NewDocker(dockerHost)
	if err != nil {
		return err
	}
	if err := writeConfig(o.State.Path(firstName, "engine.json"), o.config()); err != nil {
		return err
	}
	if err := state.WriteFile(dockerFile(o.State), []byte(dockerHost), 0o644); err != nil {
		return err
	}
	return d.startEngine(ctx, o.State.Path(firstName, "engine.json"))
}

// StopInDocker removes what StartInDocker started, if it did.
func StopInDocker(ctx context.Context, s state.Dir, caches bool) error {
	host, err := os.ReadFile(dockerFile(s))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := NewDocker(string(host))
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

func dockerFile(s state.Dir) string { return s.Path("docker-host") }

// startEngine has the engine run with the given configuration file. One that
// runs is kept when it was started with the same.
func (d Docker) startEngine(ctx context.Context, config string) error {
	b, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var found struct {
		State  struct{ Running bool }
		Config struct{ Labels map[string]string }
	}
	err = d.call(ctx, http.MethodGet, "/containers/"+dockerName+"/json", nil, &found)
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
		"Image":       dockerImage + ":" + version,
		"StopTimeout": int(closing.Seconds()),
		"Labels":      map[string]string{"tagline.configuration": string(b)},
		"HostConfig": map[string]any{"Privileged": true,
			"Binds": []string{config + ":/etc/dagger/engine.json:ro", dockerName + ":/var/lib/dagger"}},
	}
	const path = "/containers/create?name=" + dockerName
	if err = d.call(ctx, http.MethodPost, path, create, nil); errors.Is(err, errAbsent) {
		pull := url.Values{"fromImage": {dockerImage}, "tag": {version}}
		if err := d.call(ctx, http.MethodPost, "/images/create?"+pull.Encode(), nil, nil); err != nil {
			return fmt.Errorf("pulling %s:%s: %w", dockerImage, version, err)
		}
		err = d.call(ctx, http.MethodPost, path, create, nil)
	}
	if err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodPost, "/containers/"+dockerName+"/start", nil, nil); err != nil {
		return err
	}
	return d.stays(ctx)
}

// stays waits a moment to see that the engine has not ended at once.
func (d Docker) stays(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * time.Second):
	}
	var now struct{ State struct{ Running bool } }
	if err := d.call(ctx, http.MethodGet, "/containers/"+dockerName+"/json", nil, &now); err != nil {
		return err
	}
	if !now.State.Running {
		return &diag.Error{Kind: diag.Broken, Doing: "starting the engine in Docker", Err: errors.New("it ended"),
			Fix: "read `docker logs " + dockerName + "`"}
	}
	return nil
}

// removeEngine stops the engine and removes the container, and its caches too
// if they are to go. An engine that is not stopped first loses them.
func (d Docker) removeEngine(ctx context.Context, caches bool) error {
	err := d.call(ctx, http.MethodPost, "/containers/"+dockerName+"/stop", nil, nil)
	if err != nil && !errors.Is(err, errAbsent) {
		return err
	}
	err = d.call(ctx, http.MethodDelete, "/containers/"+dockerName+"?force=1", nil, nil)
	if caches && (err == nil || errors.Is(err, errAbsent)) {
		err = d.call(ctx, http.MethodDelete, "/volumes/"+dockerName, nil, nil)
	}
	if errors.Is(err, errAbsent) {
		return nil
	}
	return err
}
