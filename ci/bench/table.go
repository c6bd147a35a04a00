package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// result is what one run measured.
type result struct {
	cold, again, leaf  time.Duration // by Tagline
	plain, cpu         time.Duration // by make alone: wall, and processor time
	linear, linearLeaf time.Duration // by one linear Dockerfile
	developer, runtime int           // bytes, compressed
}

// table is the result as docs/performance.md has it.
func (r *result) table(machine string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "Measured on %s by `make bench`, on %s.\n\n", time.Now().Format("2006-01-02"), machine)
	w.WriteString("| figure | goal | measured | of |\n|---|---|---|---|\n")
	row := func(what string, goal, a, b float64, unit string) {
		mark := ""
		if a/b > goal {
			mark = ", missed"
		}
		fmt.Fprintf(&w, "| %s | ≤ %.2f | %.2f%s | %.1f %s ÷ %.1f %s |\n", what, goal, a/b, mark, a, unit, b, unit)
	}
	row("cold build ÷ `make -j` of the same sources, one after the other in one container", 0.55,
		r.cold.Seconds(), r.plain.Seconds(), "s")
	row("cold build ÷ one linear Dockerfile of the same steps, on the same engine", 0.7,
		r.cold.Seconds(), r.linear.Seconds(), "s")
	row("one leaf module changed ÷ the linear Dockerfile, same change", 0.2,
		r.leaf.Seconds(), r.linearLeaf.Seconds(), "s")
	const mega = 1e6
	row("runtime ÷ developer image, compressed", 0.12, float64(r.runtime)/mega, float64(r.developer)/mega, "MB")
	mark := ""
	if r.again > 2*time.Second {
		mark = ", missed"
	}
	fmt.Fprintf(&w, "| nothing changed: whole `tagline check`, and of the image with its smoke test, again "+
		"| ≤ 2 s | %.1f s%s | |\n", r.again.Seconds(), mark)
	cores := runtime.NumCPU()
	fmt.Fprintf(&w, "\nThe limit of a cold build by make alone: its compilers took %.0f s of processor time, "+
		"which is %.0f s of %d processors that never wait.\n", r.cpu.Seconds(), r.cpu.Seconds()/float64(cores), cores)
	return w.String()
}

// marker is a layer of one file that holds text.
func marker(text string) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	header := &tar.Header{Name: "etc/bench", Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return nil, err
	}
	return b.Bytes(), w.Close()
}
