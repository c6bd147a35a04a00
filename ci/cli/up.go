package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/ci/local"
)

// newUp is `tagline up`.
func newUp(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "up",
		Short: "Start what this machine lacks: engine, registry, base image, sources, cluster",
		Long: "Starts what a release and a promotion need and this machine lacks. What the machine\n" +
			"offers (a running engine, a cluster in KUBECONFIG, Docker Hub, GitHub) is used instead.\n" +
			"Everything is kept under TAGLINE_STATE. Running it twice is harmless.",
		Example: "  tagline up\n  eval \"$(tagline env)\"",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var e local.Env
			err := a.steps(cmd.Context(), func(ctx context.Context) (err error) {
				e, err = a.startLocal(ctx)
				return err
			})
			if err != nil {
				return err
			}
			return a.print(e, func(w io.Writer) error { return writeParts(w, e) })
		},
	})
}

// startLocal starts the parts that this machine lacks.
func (a *app) startLocal(ctx context.Context) (local.Env, error) {
	s, err := a.state()
	if err != nil {
		return local.Env{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return local.Env{}, err
	}
	return local.Up(ctx, local.Options{
		State: s, Self: []string{self, "serve"},
		RunnerHost: a.env("_EXPERIMENTAL_DAGGER_RUNNER_HOST"),
		Kubeconfig: a.env("KUBECONFIG"),
		DockerHost: a.env("DOCKER_HOST"),
	})
}

func writeParts(w io.Writer, e local.Env) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PART\tCHOICE\tWHERE\tWHY")
	for _, p := range e.Parts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Part, p.Choice, p.Address, p.Why)
	}
	return t.Flush()
}

// newDown is `tagline down`.
func newDown(a *app) *cobra.Command {
	var purge bool
	cmd := a.takes(&cobra.Command{
		Use:   "down",
		Short: "Stop what tagline up started and leave nothing running",
		Long: "Stops every process that tagline up started and removes its mounts, bridge and\n" +
			"firewall rules. Images and caches stay under TAGLINE_STATE, unless --purge is given.",
		Example: "  tagline down\n  tagline down --purge",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.state()
			if err != nil {
				return err
			}
			return a.steps(cmd.Context(), func(ctx context.Context) error {
				return local.Down(ctx, s, purge)
			})
		},
	})
	cmd.Flags().BoolVar(&purge, "purge", false, "remove TAGLINE_STATE too: images, caches, the cluster's objects")
	return cmd
}

// newEnv is `tagline env`.
func newEnv(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "env",
		Short: "Print the environment that other programs need to use what is up",
		Long: "Prints shell commands that let dagger, kubectl and helm use what tagline up started.\n" +
			"Tagline itself does not need them.",
		Example: "  eval \"$(tagline env)\"\n  kubectl get pods -A",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.state()
			if err != nil {
				return err
			}
			e, err := local.ReadEnv(s)
			if err != nil {
				return err
			}
			return a.print(e, func(w io.Writer) error {
				for _, pair := range e.Environ() {
					fmt.Fprintf(w, "export %s\n", pair)
				}
				return nil
			})
		},
	})
}

// newServe is the hidden verb that tagline up starts in the background.
func newServe(*app) *cobra.Command {
	return &cobra.Command{
		Use:                "serve",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, given []string) error {
			return local.Serve(cmd.Context(), given)
		},
	}
}
