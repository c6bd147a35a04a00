package page

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestMetrics(t *testing.T) {
	address, _, _, _ := two(t)
	_, _, body := get(t, address+"/metrics")
	for _, want := range []string{
		`tagline_ioc_up{beamline="bl02t",context="site",ioc="x",namespace="bl02t"} 0`,
		`tagline_ioc_up{beamline="bl02t",context="site",ioc="a",namespace="bl02t"} 1`,
		`tagline_ioc_restarts{beamline="bl02t",context="site",ioc="x",namespace="bl02t"} 3`,
		`tagline_ioc_drifted{beamline="bl01t",context="site",ioc="b",namespace="bl01t"} 1`,
		`tagline_ioc_stopped{beamline="bl01t",context="site",ioc="b",namespace="bl01t"} 0`,
		`tagline_ioc_acknowledged{beamline="bl01t",context="site",ioc="b",namespace="bl01t"} 0`,
		`generic_ioc="ioc-simstage 1.0.0",ioc="a",namespace="bl01t",node="ws011",version="2026.11.2"} 1`,
		`tagline_beamline_read{beamline="bl01t",context="site",namespace="bl01t"} 1`,
		`tagline_beamline_info{beamline="bl01t",context="site",namespace="bl01t",record="` + string(digest("a")) + `",version="2026.11.2"} 1`,
	} {
		require.Contains(t, body, want)
	}
}

// The alerts are of metrics and labels that the page has.
func TestRulesAreOfMetricsThatThereAre(t *testing.T) {
	type rule struct {
		Alert, Expr, For    string
		Labels, Annotations map[string]string
	}
	var rules struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	text, err := os.ReadFile("../../deploy/tagline-page/rules.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(text, &rules))
	address, _, _, _ := two(t)
	_, _, body := get(t, address+"/metrics")
	require.Len(t, rules.Groups, 1)
	require.NotEmpty(t, rules.Groups[0].Rules)
	for _, r := range rules.Groups[0].Rules {
		require.NotEmpty(t, r.Labels["severity"], r.Alert)
		metrics := regexp.MustCompile(`tagline_\w+`).FindAllString(r.Expr, -1)
		require.NotEmpty(t, metrics, r.Alert)
		if strings.HasPrefix(r.Alert, "IOC") {
			require.Contains(t, r.Expr, "and tagline_ioc_acknowledged == 0", "somebody knows already")
		}
		for _, metric := range metrics {
			series := regexp.MustCompile(`(?m)^` + metric + `\{.*$`).FindString(body)
			require.NotEmpty(t, series, "%s: there is no metric %s", r.Alert, metric)
			text := strings.Join(valuesOf(r.Annotations), " ")
			for _, label := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
				require.Regexp(t, `[{,]`+label[1]+`="`, series, "%s: %s has no label %s", r.Alert, metric, label[1])
			}
		}
	}
}

// The dashboard asks for metrics and labels that the page has, and each panel for
// something.
func TestTheDashboardIsOfMetricsThatThereAre(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	text, err := os.ReadFile("../../deploy/tagline-page/dashboard.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &dashboard))
	address, _, _, _ := two(t)
	_, _, body := get(t, address+"/metrics")
	metric := regexp.MustCompile(`tagline_\w+`)
	asked := map[string]bool{}
	for _, p := range dashboard.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			require.Contains(t, target.Expr, `{beamline=~"$beamline"}`, p.Title)
			for _, m := range metric.FindAllString(target.Expr, -1) {
				require.Regexp(t, `(?m)^`+m+`\{.*beamline="`, body, p.Title)
				asked[m] = true
			}
		}
	}
	for _, variable := range dashboard.Templating.List {
		for _, m := range metric.FindAllString(variable.Query, -1) {
			require.Contains(t, body, "\n"+m+"{", variable.Name)
		}
	}
	for _, m := range metric.FindAllString(body, -1) {
		require.True(t, asked[m], "no panel shows %s", m)
	}
}

func valuesOf(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
