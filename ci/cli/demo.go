package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// The tags of the demonstration: the assets of this repository that need
// nothing from outside it but EPICS Base.
const (
	demoBase   = "epics-base/7.0.8.1r1.0"
	demoIOC    = "ioc-simstage/1.0.0"
	demoCamera = "ioc-simcamera/1.0.0"
	demoFirst  = "2026.11.1"
	demoSecond = "2026.11.2"
	demoLine   = "bl01t"
	demoOther  = "bl45p" // with every form of instance
)

// newDemo is `tagline demo`: the whole chain, by the commands a person types.
func newDemo(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "demo",
		Short: "Take a tag of this repository to a running IOC, on this machine",
		Long: "Brings up what this machine lacks and then, in a scratch clone of this repository,\n" +
			"tags, releases, promotes, changes a start-up script, promotes that, and rolls back;\n" +
			"then it brings up a second beamline, with cameras. Each step is the command that a\n" +
			"person would type.",
		Example: "  tagline demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &demo{app: a}
			err := d.run(cmd.Context())
			d.summary()
			return err
		},
	})
}

// demo is one run of the demonstration.
type demo struct {
	*app
	scratch  *scratch
	registry string
	took     []took
}

// took is a step that has ended, and how long it lasted.
type took struct {
	what string
	time time.Duration
	ok   bool
}

func (d *demo) run(ctx context.Context) error {
	if err := d.tagline(ctx, "up"); err != nil {
		return err
	}
	e := d.up()
	s, err := d.state()
	if err != nil {
		return err
	}
	err = d.step("clone this repository", func() (err error) {
		d.scratch, err = demoScratch(d.repo, s.Path("demo"))
		return err
	})
	if err != nil {
		return err
	}
	// What this machine's base image and mirrors hold is pinned here, and not in
	// the repository: elsewhere the same names stand for other content.
	if err := d.tagline(ctx, "lock"); err != nil {
		return err
	}
	err = d.step("commit the lock files, tag "+demoBase+", "+demoIOC+" and "+demoLine+"/"+demoFirst, func() error {
		locked, err := d.scratch.commit("Lock what the recipes name", demoBase, demoIOC, demoLine+"/"+demoFirst)
		if err != nil {
			return err
		}
		// A registry path of its own for each commit: a release never changes, and
		// the demonstration of another commit is another release.
		d.registry = e.Registry + "/demo/" + locked[:12]
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.toBeamline(ctx, demoLine, demoBase, demoIOC); err != nil {
		return err
	}
	const script = "beamlines/" + demoLine + "/iocs/" + demoLine + "-mo-ioc-02/config/st.cmd"
	err = d.step("change "+script+", commit, tag "+demoLine+"/"+demoSecond, func() error {
		return d.scratch.change(script, "# A comment is a change too.\n", demoLine+"/"+demoSecond)
	})
	if err != nil {
		return err
	}
	for _, line := range [][]string{
		{"release", demoLine + "/" + demoSecond},
		{"promote", demoLine, demoSecond},
		{"status", demoLine},
		{"rollback", demoLine},
		{"status", demoLine},
	} {
		if err := d.tagline(ctx, line...); err != nil {
			return err
		}
	}
	err = d.step("tag "+demoCamera+" and "+demoOther+"/"+demoFirst, func() error {
		return d.scratch.tag(demoCamera, demoOther+"/"+demoFirst)
	})
	if err != nil {
		return err
	}
	if err := d.toBeamline(ctx, demoOther, demoCamera); err != nil {
		return err
	}
	return d.tagline(ctx, "status", demoOther)
}

// toBeamline releases images and a beamline's first version, promotes that, and
// asks its IOCs.
func (d *demo) toBeamline(ctx context.Context, line string, images ...string) error {
	for _, tag := range append(images, line+"/"+demoFirst) {
		if err := d.tagline(ctx, "release", tag); err != nil {
			return err
		}
	}
	if err := d.tagline(ctx, "promote", line, demoFirst); err != nil {
		return err
	}
	return d.step(
		"read a PV of each IOC from outside the cluster, over CA and PVA",
		func() error { return d.readOutside(ctx, line) },
	)
}

// tagline runs one command line as a person would, and shows it.
func (d *demo) tagline(ctx context.Context, line ...string) error {
	given := line
	if d.scratch != nil {
		given = append([]string{"--repo", d.scratch.dir}, line...)
		if line[0] != "status" && line[0] != "lock" {
			given = append(given, "--registry", d.registry)
		}
		if line[0] == "promote" {
			given = append(given, "--lift-hold", "the demonstration begins again")
		}
	}
	return d.step("tagline "+strings.Join(line, " "), func() error {
		sub := &app{Streams: Streams{In: d.In, Out: &indented{w: d.Err}, Err: &indented{w: d.Err}}, env: d.env}
		root := sub.root()
		root.SetArgs(given)
		return root.ExecuteContext(ctx)
	})
}

// step runs one named step and keeps how long it took.
func (d *demo) step(what string, work func() error) error {
	fmt.Fprintf(d.Err, "\n$ %s\n", what)
	start := time.Now()
	err := work()
	d.took = append(d.took, took{what, time.Since(start), err == nil})
	return err
}

// readOutside reads a PV of each promoted IOC of a beamline from a container beside
// the cluster, as a client at the beamline would.
func (d *demo) readOutside(ctx context.Context, line string) error {
	var out bytes.Buffer
	sub := &app{Streams: Streams{In: d.In, Out: &out, Err: d.Err}, env: d.env}
	root := sub.root()
	root.SetArgs([]string{"record", line + "/" + demoFirst, "--registry", d.registry, "--output", "json"})
	if err := root.ExecuteContext(ctx); err != nil {
		return err
	}
	var rec record.Record
	if err := json.Unmarshal(out.Bytes(), &rec); err != nil {
		return err
	}
	client, err := d.connect(ctx, &site{})
	if err != nil {
		return err
	}
	defer client.Close()
	tools := client.Container().From(d.registry + "/" + strings.Replace(demoIOC, "/", "-developer:", 1))
	for _, name := range []string{"EPICS_CA_ADDR_LIST", "EPICS_PVA_ADDR_LIST"} {
		if v := d.env(name); v != "" {
			tools = tools.WithEnvVariable(name, v)
		}
	}
	tools = tools.WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano))
	for _, inst := range rec.Instances {
		for _, tool := range []string{"caget", "pvget"} {
			text, err := tools.WithExec([]string{tool, "-w", "10", inst.ProbePV}).Stdout(ctx)
			if err != nil {
				return &diag.Error{
					Kind:    diag.Broken,
					Doing:   "reading " + inst.ProbePV + " with " + tool + " from outside",
					Asset:   inst.Name,
					Version: rec.Version.String(),
					Err:     engine.Explain(err),
					Fix: engine.Fix(err, "look at tagline status "+line+
						", and at the addresses that tagline env prints"),
				}
			}
			fmt.Fprintf(&indented{w: d.Err}, "%s: %s\n", tool, strings.TrimSpace(text))
		}
	}
	return nil
}

// summary shows what ran, how long it took and where to look next.
func (d *demo) summary() {
	fmt.Fprintln(d.Out)
	t := tabwriter.NewWriter(d.Out, 0, 0, 2, ' ', 0)
	var sum time.Duration
	for _, s := range d.took {
		mark := "✔"
		if !s.ok {
			mark = "✘"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", mark, s.what, short(s.time))
		sum += s.time
	}
	fmt.Fprintf(t, "\tall\t%s\n", short(sum))
	t.Flush()
	if d.registry == "" {
		return
	}
	fmt.Fprintf(d.Out, "\nWhere to look next:\n")
	fmt.Fprintf(d.Out, "  eval \"$(tagline env)\"; kubectl -n %s get pods\n", demoLine)
	fmt.Fprintf(d.Out, "  tagline record %s/%s --registry %s\n", demoLine, demoFirst, d.registry)
	fmt.Fprintf(d.Out, "  %s is the clone that was tagged\n", d.scratch.dir)
	fmt.Fprintf(d.Out, "  tagline down stops everything\n")
}

// indented writes lines two columns in, so that a command's own output stands
// below the command. A line may come in several writes.
type indented struct {
	w   io.Writer
	mid bool // the last write ended within a line
}

func (i *indented) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if !i.mid {
			line = append([]byte("  "), line...)
		}
		i.mid = !bytes.HasSuffix(line, []byte("\n"))
		if _, err := i.w.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
