package plan

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// BenchmarkSite plans sites of 25 beamlines (1,250 instances, 50 images) to
// 100 (5,000 instances, 200 images), where the worst has changed: the library
// chart, EPICS Base, and a value of every beamline.
func BenchmarkSite(b *testing.B) {
	for _, beamlines := range []int{25, 50, 100} {
		files := site(beamlines)
		old := indexed(files)
		edit, only, changed := worst(files, beamlines)
		now := indexed(edit)
		since := func(paths []string) func(*testing.B) {
			return func(b *testing.B) {
				defer spent(b, 50*beamlines)()
				for b.Loop() {
					c, err := Since(Tree{Commit: "a", Files: old}, Tree{Commit: "b", Files: now}, paths)
					require.NoError(b, err)
					require.Len(b, c.Assets, 3*beamlines+1)
				}
			}
		}
		b.Run(fmt.Sprintf("everything/beamlines=%d", beamlines), since(only))
		b.Run(fmt.Sprintf("everything and shared values/beamlines=%d", beamlines), since(changed))
		b.Run(fmt.Sprintf("tag/beamlines=%d", beamlines), func(b *testing.B) {
			for b.Loop() {
				_, err := New(now, commit, "bl001p/2026.11.1")
				require.NoError(b, err)
			}
		})
	}
}

// worst changes what most depends on: in only the library chart and EPICS Base,
// in all a value of every beamline too.
func worst(files fstest.MapFS, beamlines int) (edit fstest.MapFS, only, all []string) {
	edit = maps.Clone(files)
	for _, name := range []string{"charts/ioc-lib/Chart.yaml", "generic-iocs/support/epics-base.yaml"} {
		edit[name] = &fstest.MapFile{Data: append([]byte("# changed\n"), files[name].Data...)}
		only = append(only, name)
	}
	all = slices.Clone(only)
	for i := range beamlines {
		name := fmt.Sprintf("beamlines/bl%03dp/beamline.yaml", i)
		edit[name] = &fstest.MapFile{Data: bytes.ReplaceAll(files[name].Data, []byte("256Mi"), []byte("512Mi"))}
		all = append(all, name)
	}
	return edit, only, all
}

// spent reports the processor's milliseconds for each plan and microseconds
// for each instance: on a machine that others use too, the clock says little.
func spent(b *testing.B, instances int) func() {
	cpu := func() float64 {
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
	before := cpu()
	return func() {
		each := (cpu() - before) / float64(b.N)
		b.ReportMetric(each/1e6, "cpu-ms/op")
		b.ReportMetric(each/1e3/float64(instances), "cpu-µs/instance")
	}
}
