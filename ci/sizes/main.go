// Sizes measures what large beamlines take: their records, their ledgers and the names of
// their PVs, in bytes and seconds, of one beamline and of another ten times as large. What
// grows more than that will not hold. It needs neither engine nor cluster.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/ci/page"
)

// The IOCs of the two beamlines.
const small, large = 50, 500

func main() {
	file := flag.String("page", "", "write the table to this page too: docs/performance.md")
	flag.Parse()
	if err := run(context.Background(), *file); err != nil {
		fmt.Fprintln(os.Stderr, "sizes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string) error {
	few, err := measure(ctx, small)
	if err != nil {
		return err
	}
	many, err := measure(ctx, large)
	if err != nil {
		return err
	}
	text := table(few, many, time.Now(), page.Machine())
	fmt.Print(text)
	if file == "" {
		return nil
	}
	return page.Rewrite(file, "sizes", text)
}

// table returns the figures of both beamlines as docs/performance.md has them.
func table(few, many []figure, now time.Time, machine string) string {
	var w strings.Builder
	fmt.Fprintf(&w, "Measured on %s by `make bench`, on %s.\n\n", now.Format("2006-01-02"), machine)
	fmt.Fprintf(&w, "| of a beamline | %d IOCs, %d PVs | %d IOCs, %d PVs | times as much |\n|---|---|---|---|\n",
		small, small*pvsOfAnIOC, large, large*pvsOfAnIOC)
	for i, f := range few {
		fmt.Fprintf(&w, "| %s | %s | %s | %.1f |\n", f.what, f, many[i], many[i].value/f.value)
	}
	return w.String()
}
