package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// pvsOfAnIOC is how many PVs each IOC of a beamline has that is measured.
const pvsOfAnIOC = 2000

// figure is one thing that is measured of a beamline.
type figure struct {
	what  string
	value float64
	unit  string // "MB", "s", or empty for a number of things
}

func (f figure) String() string {
	if f.unit == "" {
		return fmt.Sprint(f.value)
	}
	return fmt.Sprintf("%.2f %s", f.value, f.unit)
}

// measure returns what a beamline of so many IOCs takes in its record, its ledger and its
// namespace, and how long these are written and read.
func measure(ctx context.Context, iocs int) (all []figure, err error) {
	size := func(what string, bytes int) {
		all = append(all, figure{what, float64(bytes) / 1e6, "MB"})
	}
	takes := func(what string, work func() error) {
		if err == nil {
			start := time.Now()
			err = work()
			all = append(all, figure{what, time.Since(start).Seconds(), "s"})
		}
	}
	rec, n := beamlineOf(iocs), &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
	digest := asset.Digest("sha256:" + strings.Repeat("1", 64))
	var text []byte
	takes("writing the record", func() (err error) { text, err = record.Encode(rec); return err })
	size("the record, of all PVs", len(text))
	takes("reading the record", func() error { _, err := record.Read(text); return err })

	past := &ledger.Ledger{}
	for i := range 10 { // as many as it remembers
		former := *rec
		past.Push(ledger.Release{
			Record: former, Digest: asset.Digest(fmt.Sprintf("sha256:%064d", i)), Since: time.Now(),
		})
	}
	takes("writing the ledger of ten releases", func() error { return past.Save(ctx, n) })
	takes("reading the ledger", func() (err error) { past, err = ledger.Read(ctx, n); return err })
	if err != nil {
		return nil, err
	}
	all = append(all, figure{"the releases that it has room for", float64(len(past.Releases)), ""})

	takes("keeping the PVs' names in the namespace", func() error { return pvs.Save(ctx, n, digest, pvs.Of(rec), nil) })
	var lines string
	takes("reading the PVs' names", func() (err error) { lines, err = pvs.Read(ctx, n, digest); return err })
	takes("finding ten of them by a regular expression", func() error {
		found, err := pvs.Find(lines, []string{"BL01T-MO-IOC-001:STAGE-000[0-9]:RBV"})
		if err == nil && len(found) != 10 {
			err = fmt.Errorf("%d PVs were found", len(found))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	maps, err := n.Client.CoreV1().ConfigMaps(n.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	kept, most := 0, 0
	for _, cm := range maps.Items {
		bytes := cm.Size()
		if cm.Name == ledger.Name {
			size("the ledger", bytes)
			continue
		}
		kept, most = kept+bytes, max(most, bytes)
	}
	size("the PVs' names in the namespace, of each release", kept)
	size("the largest ConfigMap of them", most)
	if most > 1<<20 {
		err = errors.New("a ConfigMap is larger than Kubernetes takes")
	}
	return all, err
}

// beamlineOf returns the record of a beamline of so many IOCs, as a release leaves it.
func beamlineOf(iocs int) *record.Record {
	digest := asset.Digest("sha256:" + strings.Repeat("a", 64))
	rec := &record.Record{
		Schema: "tagline.record/v1", Kind: asset.Beamline, Asset: "bl01t", Commit: strings.Repeat("0a", 20),
		Namespace: "bl01t", Repository: "github.com/some-org/bl01t", Tool: "devel",
	}
	rec.Tag, _ = asset.ParseTag("bl01t/2026.11.1")
	rec.Version = rec.Tag.Version
	pin, _ := asset.ParsePin("ioc-simstage 1.0.0")
	for i := range iocs {
		name := fmt.Sprintf("bl01t-mo-ioc-%03d", i)
		at := asset.Ref("ghcr.io/some-org/charts/" + name)
		rec.Artifacts = append(rec.Artifacts, record.Artifact{
			Name: name, Type: record.ChartType, Ref: at + ":2026.11.1", Digest: digest, Size: 4321,
		})
		rec.Instances = append(rec.Instances, record.Instance{
			Name: name, Chart: at.At(digest), Image: asset.Ref("ghcr.io/some-org/ioc-simstage-runtime").At(digest),
			IOC: pin, ProbePV: strings.ToUpper(name) + ":HEARTBEAT", Protocol: "ca",
		})
		boot := record.Test{Name: record.BootTest, Of: name, Digest: digest, Passed: true}
		for n := range pvsOfAnIOC {
			pv := fmt.Sprintf("%s:STAGE-%04d:RBV", strings.ToUpper(name), n)
			boot.PVs = append(boot.PVs, record.PV{Name: pv, Type: "ai"})
		}
		rec.Checks = append(rec.Checks, boot)
	}
	rec.Checks = append(rec.Checks, record.Test{Name: record.UniquePVsTest, Of: "bl01t", Passed: true})
	return rec
}
