// Soak runs a beamline of IOCs on the stand-in cluster for a while, and does to
// it at random what weeks do: promotions, rollbacks, crashes, deleted pods, and
// people at consoles. Then it counts what is left behind, and fails if anything
// grew. It is run as root on the machine of `tagline up`, and reads TAGLINE_STATE.
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
)

// line is the beamline that is soaked.
const line = "soak"

// options are the flags of a run.
type options struct {
	fleet.Options
	page   string // the table is written there too
	length time.Duration
	seed   uint64
}

// soaked is the beamline, and what was done to it.
type soaked struct {
	*fleet.Fleet
	killed map[string]int // instance → how often it was killed
}

func main() {
	o := options{Options: fleet.Options{Line: line}}
	flag.StringVar(&o.Command, "tagline", "bin/tagline", "the tagline command to run")
	flag.StringVar(&o.page, "page", "", "write the table to this page too: docs/reliability.md")
	flag.DurationVar(&o.length, "for", 30*time.Minute, "how long")
	flag.IntVar(&o.IOCs, "iocs", 100, "how many IOCs")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "what the choices are drawn from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	f, err := fleet.New(ctx, o.Options)
	if err != nil {
		return err
	}
	defer f.Remove()
	r, err := soak(ctx, o, &soaked{f, map[string]int{}})
	if err != nil {
		return err
	}
	text := r.table(time.Now(), page.Machine())
	fmt.Print(text)
	if o.page != "" {
		if err := page.Rewrite(o.page, "soak", text); err != nil {
			return err
		}
	}
	return r.fault()
}

// soak does the beamline's weeks.
func soak(ctx context.Context, o options, b *soaked) (result, error) {
	r := result{IOCs: o.IOCs, Length: o.length, Seed: o.seed, Done: map[string]int{}}
	rng := rand.New(rand.NewPCG(o.seed, 0))
	// What is done once is done before the first count: caches fill, and each
	// version is pulled.
	for _, a := range b.actions() {
		if err := b.do(ctx, a, rng, &r); err != nil {
			return r, err
		}
	}
	var err error
	if r.Before, err = b.settled(ctx); err != nil {
		return r, err
	}
	for end := time.Now().Add(o.length); time.Now().Before(end); {
		if err := b.do(ctx, pick(rng, b.actions()), rng, &r); err != nil {
			return r, err
		}
		if err := fleet.Sleep(ctx, time.Duration(rng.IntN(5000))*time.Millisecond); err != nil {
			return r, err
		}
	}
	if r.After, err = b.settled(ctx); err != nil {
		return r, err
	}
	r.Supervision, err = b.quiet(ctx, quietTime)
	return r, err
}
