package page

import (
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

func valuesOf(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
