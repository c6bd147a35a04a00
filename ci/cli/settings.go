package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"dagger.io/dagger"
	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// site holds the flags that say where releases are kept and sources come from.
// Flags go over the environment, and that over what `tagline up` wrote.
type site struct {
	registry string
	username string // with password, for the registry
	password string
	// passwordStdin lets the password be on stdin.
	passwordStdin bool
	mirrors       []string
	verbose       bool
	signing       signing
	all           bool // boot every IOC, build every module
	// policy is a file that names who else may have signed what is built on or run.
	policy string
}

// flags adds the flags that say where releases are kept.
func (s *site) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.registry, "registry", "",
		"registry and path that hold images, charts and records (default $TAGLINE_REGISTRY, or that of tagline up)")
	cmd.Flags().StringVar(&s.username, "username", "",
		"user of the registry, with --password-stdin (default $TAGLINE_REGISTRY_USERNAME, or who docker login was)")
	cmd.Flags().BoolVar(&s.passwordStdin, "password-stdin", false,
		"read the registry's password from stdin (default $TAGLINE_REGISTRY_PASSWORD)")
}

// buildFlags adds the flags of commands that build.
func (s *site) buildFlags(cmd *cobra.Command) {
	s.flags(cmd)
	cmd.Flags().StringSliceVar(&s.mirrors, "mirror", nil,
		"fetch sources below a URL from a copy (default $TAGLINE_MIRRORS): "+
			"https://github.com/=https://git.example.org/mirrors/")
	cmd.Flags().BoolVarP(&s.verbose, "verbose", "v", false, "show the engine's own progress too")
}

// allFlag adds the flag of commands that boot instances and build modules.
func (s *site) allFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.all, "all", false,
		"boot every IOC, build every support module of an image, also those that the release "+
			"before has tested or built with the same inputs, or a check has booted on this engine")
}

// state returns the folder that holds the stand-ins of this machine.
func (a *app) state() (state.Dir, error) { return state.FromEnvironment(a.env) }

// up returns what `tagline up` wrote; nothing when it has not run.
func (a *app) up() local.Env {
	s, err := a.state()
	if err != nil {
		return local.Env{}
	}
	e, err := local.ReadEnv(s)
	if err != nil {
		return local.Env{}
	}
	return e
}

// settings returns what the repository says for all of its assets: as in the
// working copy, or at HEAD of a repository without one.
func (a *app) settings() (*settings.Settings, error) {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return &settings.Settings{}, nil // a verb that needs none says so itself
	}
	if root, err := repo.WorkTree(); err == nil {
		return settings.Read(os.DirFS(root))
	}
	if files := a.headFiles(); files != nil {
		return settings.Read(files)
	}
	return &settings.Settings{}, nil
}

// prefix returns where releases are kept; empty when nothing says it. Flags go
// over the environment, that over the repository's settings, and those over what
// tagline up wrote.
func (a *app) prefix(s *site) (string, error) {
	if named := cmp.Or(s.registry, a.env("TAGLINE_REGISTRY")); named != "" {
		return named, nil
	}
	own, err := a.settings()
	if err != nil {
		return "", err
	}
	return cmp.Or(own.Registry, a.up().Registry), nil
}

// openRegistry opens the registry that holds releases.
func (a *app) openRegistry(ctx context.Context, s *site) (*registry.Registry, error) {
	prefix, err := a.prefix(s)
	if err != nil {
		return nil, err
	}
	if prefix == "" {
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "looking for the registry",
			Err:   errors.New("none is named"),
			Fix:   "give --registry or TAGLINE_REGISTRY, name it in tagline.yaml, or run tagline up",
		}
	}
	user, password, err := a.login(ctx, s)
	if err != nil {
		return nil, err
	}
	return registry.New(prefix, registry.Options{Username: user, Password: password})
}

// sourceMirrors returns the mirrors of git sources.
func (a *app) sourceMirrors(s *site) (source.Mirrors, error) {
	items := s.mirrors
	if text := a.env("TAGLINE_MIRRORS"); len(items) == 0 && text != "" {
		items = strings.Split(text, ",")
	}
	if len(items) == 0 {
		return a.up().Mirrors, nil
	}
	return source.ParseMirrors(items)
}

// connect opens a session with the Dagger engine.
func (a *app) connect(ctx context.Context, s *site) (*dagger.Client, error) {
	for _, pair := range a.up().Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Contains(name, "DAGGER") && a.env(name) == "" {
			os.Setenv(name, value) // the SDK and the program it starts read only the environment
		}
	}
	log := io.Writer(io.Discard)
	if s.verbose {
		log = a.Err
	}
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(log))
	if err != nil {
		return nil, &diag.Error{
			Kind:  diag.Broken,
			Doing: "reaching the Dagger engine",
			Err:   err,
			Fix:   "run tagline up, or set _EXPERIMENTAL_DAGGER_RUNNER_HOST to a running engine",
		}
	}
	return client, nil
}

// pipeline runs work with the release pipeline on an engine, and shows its
// steps.
func (a *app) pipeline(ctx context.Context, s *site, work func(context.Context, release.Pipeline) error) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	if _, err := a.openRegistry(ctx, s); err != nil { // which a release must have
		return err
	}
	signer, err := a.signer(ctx, s.signing)
	if err != nil {
		return err
	}
	return a.builder(ctx, s, func(ctx context.Context, b release.Builder) error {
		if s.policy != "" { // which goes over the repository's settings
			if b.Trusted, err = a.policySigners(ctx, s.policy); err != nil {
				return err
			}
		}
		return work(ctx, release.Pipeline{
			Builder: b, Repo: repo, Tool: thisBuild().Version, Signer: signer, All: s.all,
		})
	})
}

// releases returns the registry that has the releases which a tree is built on,
// nil when none is named, and whose signature they must have.
func (a *app) releases(ctx context.Context, s *site) (*registry.Registry, attest.Trusted, error) {
	prefix, err := a.prefix(s)
	if err != nil || prefix == "" {
		return nil, nil, err
	}
	reg, err := a.openRegistry(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	own, err := a.settings()
	if err != nil || len(own.Signers) == 0 {
		return reg, nil, err
	}
	trusted, err := gate.Signers(ctx, &policy.Policy{Signers: own.Signers}, sign.PublicSigstore)
	return reg, trusted, err
}

// workTree returns the root folder of the repository's working copy.
func (a *app) workTree() (string, error) {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return "", err
	}
	return repo.WorkTree()
}

// builder runs work with an engine, and with the registry where one is named, and
// shows its steps.
func (a *app) builder(ctx context.Context, s *site, work func(context.Context, release.Builder) error) (err error) {
	var b release.Builder
	if b.Mirrors, err = a.sourceMirrors(s); err != nil {
		return err
	}
	if b.Logins, err = a.gitLogins(); err != nil {
		return err
	}
	if b.Registry, b.Trusted, err = a.releases(ctx, s); err != nil {
		return err
	}
	return a.steps(ctx, func(ctx context.Context) error {
		if b.Client, err = a.connect(ctx, s); err != nil {
			return err
		}
		defer b.Client.Close()
		if b.Registry != nil {
			if err := a.letIn(ctx, s, b.Client, b.Registry); err != nil {
				return err
			}
		}
		return work(ctx, b)
	})
}

// steps runs work and shows its steps on stderr.
func (a *app) steps(ctx context.Context, work func(context.Context) error) error {
	p := newProgress(a.Err)
	defer p.close()
	a.progress = p
	return work(step.WithSink(ctx, p.sink))
}
