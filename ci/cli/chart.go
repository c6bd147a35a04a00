package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newChart is `tagline chart`.
func newChart(a *app) *cobra.Command {
	var rev string
	var values bool
	cmd := a.takes(&cobra.Command{
		Use:   "chart BEAMLINE INSTANCE",
		Short: "Show what an IOC instance's chart gets, and what it renders to",
		Long: "Shows the Kubernetes manifests that the chart of an IOC instance renders to, as Helm\n" +
			"would send them to the beamline's namespace. With --values: each value that the chart\n" +
			"gets, and the file and line that it is from. Neither an engine nor a registry nor a\n" +
			"cluster is asked; comments say what stands for something that only the release knows.",
		Example: "  tagline chart bl01t bl01t-mo-ioc-01\n" +
			"  tagline chart bl01t bl01t-mo-ioc-01 --values\n" +
			"  tagline chart bl01t bl01t-mo-ioc-01 --rev bl01t/2026.11.1 | kubectl diff -n bl01t -f -",
		RunE: func(cmd *cobra.Command, given []string) error {
			name, err := asset.ParseName(given[0])
			if err != nil {
				return err
			}
			repo, err := tree.Open(a.repo)
			if err != nil {
				return err
			}
			shown, err := release.Chart(repo, rev, name, given[1])
			if err != nil {
				return err
			}
			return a.print(shown, func(w io.Writer) error {
				if values {
					return writeValues(w, shown.Values)
				}
				for _, note := range shown.Notes {
					fmt.Fprintln(w, "#", note)
				}
				_, err := io.WriteString(w, shown.Manifests)
				return err
			})
		},
	}, beamlineArg, instanceArg)
	cmd.Flags().StringVar(&rev, "rev", "HEAD", "git revision to read")
	cmd.Flags().BoolVar(&values, "values", false, "show the values and where each is from")
	return cmd
}

// writeValues shows values and where they are from.
func writeValues(w io.Writer, values []beamline.Value) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range values {
		text, err := v.Text()
		if err != nil {
			return err
		}
		from := "default"
		if v.File != "" {
			from = fmt.Sprintf("%s:%d", v.File, v.Line)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.Key, text, from)
	}
	return t.Flush()
}
