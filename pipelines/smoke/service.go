package smoke

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/record"
)

//go:embed command.sh
var commandScript string

//go:embed enter.pl
var enterScript string

// Service is an image that Tagline did not build, with the command that tests it.
type Service struct {
	Name    string // of the instance
	File    string // its values.yaml
	Line    int    // of the command in it
	Image   asset.Ref
	Command []string // run without the image's entrypoint
	Within  time.Duration
	Config  map[string][]byte // by path below the config folder
	Env     map[string]string
	User    string // "uid:gid"
}

// Inputs returns the digest of all that the result of Serve depends on.
func (s Service) Inputs() asset.Digest {
	config := inputs.Files(s.Config)
	s.Config = nil
	return inputs.Of(s, config, tester())
}

// Serve runs the command of a service in its image, as a user without a privilege,
// with its config and environment, and without a network. The error is of the engine;
// what is wrong with the service is in the result.
//
// A container of the engine has the network of its machine, and an image may have no
// program that takes it away. So the command does not run in a container of its own: its
// files are mounted into one that has such programs, and that has the capabilities which
// they need. The command itself has none.
func (t Tester) Serve(ctx context.Context, s Service) (*record.Test, error) {
	result := &record.Test{Name: record.ServiceTest, Of: s.Name, Digest: s.Image.Digest()}
	image := t.Client.Container().From(string(s.Image))
	args, err := s.arguments(ctx, image)
	if err != nil {
		return nil, fmt.Errorf("reading the image of %s: %w", s.Name, err)
	}
	files := image.WithDirectory(layout.Config, engine.Files(t.Client, s.Config)).
		WithNewFile("/etc/hosts", "127.0.0.1 localhost\n")
	for _, folder := range []string{"/tmp", "/proc", "/dev"} { // which an image of one program may lack
		files = files.WithDirectory(folder, t.Client.Directory())
	}
	out, err := t.Client.Container().From(engine.Tools).
		WithNewFile("/smoke/command.sh", commandScript).
		WithNewFile("/smoke/enter.pl", enterScript).
		WithNewFile("/smoke/loopback.pl", loopbackScript).
		WithMountedDirectory("/image", files.Rootfs()).
		// A test is never answered from a cache.
		WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano)).
		WithExec(append([]string{"sh", "/smoke/command.sh"}, args...),
			dagger.ContainerWithExecOpts{InsecureRootCapabilities: true}).
		Stdout(ctx)
	if err != nil {
		return nil, fmt.Errorf("booting %s: %w", s.Name, engine.Explain(err))
	}
	return result, s.judge(result, out)
}

// arguments returns those of command.sh: the environment is the image's own, with the
// instance's over it.
func (s Service) arguments(ctx context.Context, image *dagger.Container) ([]string, error) {
	folder, err := image.Workdir(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{strconv.Itoa(int(s.Within.Seconds())), s.User, cmp.Or(folder, "/")}
	own, err := image.EnvVariables(ctx)
	if err != nil {
		return nil, err
	}
	for _, variable := range own {
		name, err := variable.Name(ctx)
		if err != nil {
			return nil, err
		}
		value, err := variable.Value(ctx)
		if err != nil {
			return nil, err
		}
		args = append(args, name+"="+value)
	}
	args = append(args, "IOC_NAME="+s.Name)
	for _, name := range sortedKeys(s.Env) {
		args = append(args, name+"="+s.Env[name])
	}
	return append(append(args, "--"), s.Command...), nil
}

// judge writes into the result what the output of command.sh says. The error is of an
// output that says nothing.
func (s Service) judge(result *record.Test, out string) error {
	end := strings.LastIndex(out, "@exit ")
	if end < 0 {
		return fmt.Errorf("booting %s: command.sh did not say how the command ended", s.Name)
	}
	status := strings.TrimSpace(strings.TrimPrefix(out[end:], "@exit "))
	command := strings.Join(s.Command, " ")
	switch status {
	case "0":
		result.Passed, result.Evidence = true, []string{command + ": exit status 0"}
		return nil
	case "124":
		result.Faults = []string{fmt.Sprintf(
			"%s:%d: %s did not end within %s; speed it up, or allow more in boot.within",
			s.File, s.Line, command, s.Within)}
	default:
		result.Faults = []string{fmt.Sprintf(
			"%s:%d: %s ended with exit status %s in %s; mend it or the image, so that it ends with 0",
			s.File, s.Line, command, status, s.Image)}
	}
	result.Log = strings.TrimSpace(out[:end])
	return nil
}
