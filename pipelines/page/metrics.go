package page

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tagline-ci/tagline/pipelines/status"
)

// The metrics of the page. Labels that an alert names are on every one of them;
// what changes with each release is on tagline_ioc_info alone, so that a series
// lasts.
var (
	iocLabels = []string{"context", "beamline", "namespace", "ioc"}

	metricUp = prometheus.NewDesc("tagline_ioc_up",
		"1 while the IOC is ready, 0 while it is not, as it was last read.", iocLabels, nil)
	metricStopped = prometheus.NewDesc("tagline_ioc_stopped",
		"1 while the IOC is stopped on purpose.", iocLabels, nil)
	metricRestarts = prometheus.NewDesc("tagline_ioc_restarts",
		"How often the IOC of the pod that runs now was started again.", iocLabels, nil)
	metricDrifted = prometheus.NewDesc("tagline_ioc_drifted",
		"1 while the cluster differs from the IOC's release.", iocLabels, nil)
	metricAcknowledged = prometheus.NewDesc("tagline_ioc_acknowledged",
		"1 while somebody acknowledged what is wrong with the IOC.", iocLabels, nil)
	metricInfo = prometheus.NewDesc("tagline_ioc_info",
		"1, with what the IOC runs and where.", append(iocLabels[:4:4], "version", "generic_ioc", "digest", "node"),
		nil)
	metricRead = prometheus.NewDesc("tagline_beamline_read",
		"1 while the beamline, or the cluster where beamline is empty, can be read.", iocLabels[:3], nil)
	metricReadAt = prometheus.NewDesc("tagline_beamline_read_timestamp_seconds",
		"When the beamline was last read.", iocLabels[:3], nil)
	metricRelease = prometheus.NewDesc("tagline_beamline_info",
		"1, with the release that the beamline runs.", append(iocLabels[:3:3], "version", "record"), nil)
)

// Describe sends the description of every metric.
func (b *Board) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		metricUp, metricStopped, metricRestarts, metricDrifted, metricAcknowledged, metricInfo, metricRead,
		metricReadAt, metricRelease,
	} {
		descriptions <- d
	}
}

// Collect sends what is known now.
func (b *Board) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	all, _, _ := b.now()
	for _, r := range all {
		line := r.show(time.Now())
		at := []string{line.Context, line.Beamline, line.Namespace}
		gauge(metricRead, number(line.Failed == ""), at...)
		if line.Status == nil {
			continue
		}
		gauge(metricReadAt, float64(line.Read.Unix()), at...)
		gauge(metricRelease, 1, append(at[:3:3], line.Version, line.Record)...)
		for _, i := range line.Instances {
			labels := append(at[:3:3], i.Name)
			gauge(metricUp, number(i.Ready), labels...)
			gauge(metricStopped, number(i.Level == status.Stopped), labels...)
			gauge(metricRestarts, float64(i.Restarts), labels...)
			gauge(metricDrifted, number(len(i.Drift) > 0), labels...)
			gauge(metricAcknowledged, number(i.Acknowledged != nil), labels...)
			gauge(metricInfo, 1, append(labels[:4:4], i.Version, i.IOC.IOC, i.Digest, i.Node)...)
		}
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
