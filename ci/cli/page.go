package cli

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/links"
	"github.com/tagline-ci/tagline/pipelines/page"
)

// newPage is `tagline page`.
func newPage(a *app) *cobra.Command {
	s, b, listen, given := &site{}, &beamlineCluster{}, "", []string(nil)
	cmd := a.takes(&cobra.Command{
		Use:         "page",
		Annotations: only("text"),
		Short:       "Serve one page of all beamlines",
		Long: "Serves one page of every beamline that the kubeconfig's contexts reach, the worst\n" +
			"first, until Ctrl-C. It is live, and changes nothing. Whoever reaches the address\n" +
			"reads it. The page of an IOC reads its PVs from the IOC, when asked to, over Channel\n" +
			"Access by TCP, and has links to the site's own pages about it: of {beamline},\n" +
			"{namespace}, {ioc}, {version}, {node} and {pod}. Where a registry is named, the page\n" +
			"names the releases that are newer than what a beamline runs.",
		Example: "  tagline page\n  tagline page --listen 127.0.0.1:9000 --context bl01 \\\n" +
			"    --link 'screens=https://screens.example.org/{beamline}/{ioc}.bob'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			klog.SetLogger(logr.Discard())
			if err := a.kubeconfig(b); err != nil {
				return err
			}
			all, err := a.links(given)
			if err != nil {
				return err
			}
			released, err := a.beamlineReleases(cmd.Context(), s)
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return &diag.Error{
					Kind: diag.Invalid, Doing: "serving the page", Err: err,
					Fix: "give a free address of this machine with --listen",
				}
			}
			fmt.Fprintf(a.Err, "the page is at http://%s\n", listener.Addr())
			return a.servePage(cmd.Context(), released, b, listener, all)
		},
	})
	s.flags(cmd)
	b.accessFlags(cmd)
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address of this machine at which the page is served")
	cmd.Flags().StringArrayVar(
		&given, "link", nil, "NAME=ADDRESS of a page about each IOC; again for more (default TAGLINE_LINKS)",
	)
	return cmd
}

// links returns the links that are given, or else those of the environment, between
// spaces.
func (a *app) links(given []string) ([]links.Link, error) {
	if len(given) == 0 {
		given = strings.Fields(a.env("TAGLINE_LINKS"))
	}
	return links.Parse(given)
}

// beamlineReleases returns what asks the registry for a beamline's releases; nil where none is
// named.
func (a *app) beamlineReleases(ctx context.Context, s *site) (page.Released, error) {
	prefix, err := a.prefix(s)
	if err != nil || prefix == "" {
		return nil, err
	}
	reg, err := a.openRegistry(ctx, s)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, beamline string) ([]asset.Version, error) {
		name, err := asset.ParseName(beamline)
		if err != nil {
			return nil, err
		}
		return reg.Records(ctx, name)
	}, nil
}

// servePage serves the page until ctx ends, or until it cannot.
func (a *app) servePage(
	ctx context.Context, released page.Released, b *beamlineCluster, listener net.Listener, all []links.Link,
) error {
	board := page.NewBoard(released)
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		return board.Watch(
			ctx, func(ctx context.Context) ([]ledger.Reached, error) { return ledger.Reach(ctx, b.access) },
		)
	})
	both.Go(func() error { return page.Serve(ctx, listener, board, all...) })
	return both.Wait()
}
