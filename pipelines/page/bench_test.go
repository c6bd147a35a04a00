package page

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// aSite is a board of 100 beamlines of 50 IOCs.
func aSite() *Board {
	b := NewBoard(nil)
	for n := range 100 {
		name := fmt.Sprintf("bl%02dt", n)
		st := &status.Status{
			Beamline: name, Namespace: name, Version: "2026.11.2", Record: string(digest("a")), Since: started,
		}
		for i := range 50 {
			st.Instances = append(st.Instances, status.IOC{
				Name: fmt.Sprintf("%s-mo-ioc-%02d", name, i), Version: "2026.11.2", IOC: "ioc-simstage 1.0.0",
				Digest: string(digest("7")),
				Pod:    "p", Node: "ws011", Ready: true, Since: started, Doing: "ready", Drift: []string{},
			})
		}
		b.put(reading{
			place: place{"https://site", name}, context: "site", beamline: name, status: st, read: time.Now(),
			namespace: &cluster.Namespace{Name: name, Beamline: name},
		})
	}
	return b
}

// BenchmarkPage is how long the page of a site takes to begin, and whole to end.
func BenchmarkPage(b *testing.B) {
	server := httptest.NewServer(NewServer(aSite(), anyAddress))
	defer server.Close()
	var first time.Duration
	for b.Loop() {
		began := time.Now()
		answer, err := http.Get(server.URL)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.ReadFull(answer.Body, make([]byte, 1))
		first += time.Since(began)
		size, _ := io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		b.ReportMetric(float64(size), "bytes")
	}
	b.ReportMetric(first.Seconds()*1000/float64(b.N), "ms/first-byte")
}

// BenchmarkUpdate is that one IOC of a site died, until what changed is ready to send.
func BenchmarkUpdate(b *testing.B) {
	board, v := aSite(), &viewer{}
	f, err := ParseFilter(url.Values{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := v.update(board.View(b.Context(), f, time.Now())); err != nil {
		b.Fatal(err)
	}
	all, _, _ := board.now()
	for n := 0; b.Loop(); n++ {
		r := all[n%len(all)]
		st := *r.status
		st.Instances = append([]status.IOC{}, st.Instances...)
		st.Instances[n%50].Ready, st.Instances[n%50].Doing = false, fmt.Sprintf("ended %d times", n)
		r.status = &st
		board.put(r)
		c, err := v.update(board.View(b.Context(), f, time.Now()))
		doing := st.Instances[n%50].Doing
		if err != nil || c == nil || len(c.Changed) != 1 || !strings.Contains(c.Changed[r.place.id()], doing) {
			b.Fatalf("%v %v", c, err)
		}
	}
}
