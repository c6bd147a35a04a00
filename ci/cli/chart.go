package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/settings"
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
			shown, err := a.showChart(rev, name, given[1])
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

// showChart reads an instance at a revision.
func (a *app) showChart(rev string, name asset.Name, instance string) (*chart.Shown, error) {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return nil, err
	}
	files, err := repo.At(rev)
	if err != nil {
		return nil, err
	}
	own, err := settings.Read(files)
	if err != nil {
		return nil, err
	}
	version := ""
	if _, err := repo.Resolve("refs/tags/" + rev); err == nil {
		if assets, err := plan.Assets(files); err == nil {
			if tag, err := assets.Resolve(rev); err == nil && tag.Asset == name {
				version = tag.Version.String()
			}
		}
	}
	return chart.Show(files, own.Library, name, instance, version)
}

// writeValues shows values and where they are from.
func writeValues(w io.Writer, values []beamline.Value) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range values {
		text, err := valueText(v.Value)
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

// valueText returns a value in one line: text as it is, anything else as JSON.
func valueText(value any) (string, error) {
	if text, ok := value.(string); ok && text != "" {
		return text, nil
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return strings.TrimSpace(b.String()), err
}
