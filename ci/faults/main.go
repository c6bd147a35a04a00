// Faults lets parts of the stand-ins fail at random moments of releases,
// promotions and rollbacks: it kills, freezes, slows and fills them, and the command
// itself. Each time it then gives the same command once more, with nothing in its
// way, and looks whether anything is half published or half promoted. Ctrl-C ends
// it with the table of the runs that are done. It is run as root on the machine of
// `tagline up`, and reads TAGLINE_STATE.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/page"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// options are the flags of a run.
type options struct {
	fleet.Options
	page string // the table is written there too
	runs int
	seed uint64
}

func main() {
	o := options{Options: fleet.Options{Line: "faults"}}
	flag.StringVar(&o.Command, "tagline", "bin/tagline", "the tagline command to run")
	flag.StringVar(&o.page, "page", "", "write the table to this page too: docs/reliability.md")
	flag.IntVar(&o.runs, "runs", 200, "how many faults")
	flag.IntVar(&o.IOCs, "iocs", 3, "how many IOCs")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the choices are drawn from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	f, err := fleet.New(ctx, o.Options)
	if err != nil {
		return err
	}
	defer f.Remove()
	reg, err := registry.New(f.Registry, registry.Options{})
	if err != nil {
		return err
	}
	t := &trial{Fleet: f, registry: reg, rng: rand.New(rand.NewPCG(o.seed, 0)), version: fleet.First}
	r := result{IOCs: o.IOCs, Seed: o.seed, Rows: map[string]counts{}}
	for n := range o.runs {
		err := t.once(ctx, &r)
		if ctx.Err() != nil && len(r.Rows) > 0 {
			fleet.Say(fmt.Sprintf("stopped after %d of %d runs", n, o.runs))
			break
		}
		if err != nil {
			return fmt.Errorf("run %d of seed %d: %w", n+1, o.seed, err)
		}
	}
	text := r.table(time.Now(), page.Machine())
	fmt.Print(text)
	if o.page != "" {
		return page.Rewrite(o.page, "faults", text)
	}
	return nil
}
