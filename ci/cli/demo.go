package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// The tags of the demonstration: what tagline carries needs nothing from outside it
// but EPICS Base.
const (
	demoBase   = scaffold.RootTag
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
		Use:         "demo",
		Annotations: only("text"),
		Short:       "Take a site's repositories from tagline init to running IOCs, on this machine",
		Long: "Brings up what this machine lacks and then takes the road of a site: begins\n" +
			"repositories of EPICS Base, a generic IOC and a beamline, with the assets that tagline\n" +
			"carries, and pushes their tags to this machine's git server. It releases each from a\n" +
			"fresh clone, promotes, changes a start-up script, promotes that, and rolls back; then it\n" +
			"brings up a second beamline, with cameras. Each step is the command that a person would\n" +
			"type. Run again, it goes on with the repositories that are there.",
		Example: "  tagline demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &demo{app: a, start: time.Now()}
			err := d.run(cmd.Context())
			d.summary()
			return err
		},
	})
}

// demo is one run of the demonstration.
type demo struct {
	*app
	start     time.Time
	registry  string // and path, of this demonstration alone: "10.87.0.1:5000/demo/1f0e8c2b7a90"
	served    string // URL below which its repositories are: "http://10.87.0.1:5080/demo/1f0e8c2b7a90/"
	bare      string // folder of what is served there
	work      string // folder of the working repositories; empty before it is known
	at, shown string // the folder that the next command runs in, and the one that was last shown
	took      []took
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
	if err := d.place(); err != nil {
		return err
	}
	line, stage := ownBeamline(demoLine), ownIOC(demoIOC, "simstage")
	if err := d.toBeamline(ctx, line, ownRoot(), stage); err != nil {
		return err
	}
	script := "beamlines/" + demoLine + "/iocs/" + demoLine + "-mo-ioc-02/config/st.cmd"
	if err := d.change(ctx, line, script, demoLine+"/"+demoSecond); err != nil {
		return err
	}
	if err := d.release(ctx, line, demoLine+"/"+demoSecond); err != nil {
		return err
	}
	for _, words := range [][]string{
		{"promote", demoLine, demoSecond},
		{"status", demoLine},
		{"rollback", demoLine},
		{"status", demoLine},
	} {
		if err := d.tagline(ctx, words...); err != nil {
			return err
		}
	}
	if err := d.toBeamline(ctx, ownBeamline(demoOther), ownIOC(demoCamera, "simcamera")); err != nil {
		return err
	}
	return d.tagline(ctx, "status", demoOther)
}

// toBeamline begins and releases images and a beamline's first version, promotes that,
// and asks its IOCs.
func (d *demo) toBeamline(ctx context.Context, line repository, images ...repository) error {
	for _, r := range append(images, line) {
		if err := d.begin(ctx, r); err != nil {
			return err
		}
		if err := d.release(ctx, r, r.tag); err != nil {
			return err
		}
	}
	if err := d.policy(ctx, line.name()); err != nil {
		return err
	}
	err := d.tagline(
		ctx, "promote", line.name(), demoFirst, "--lift-hold", "the demonstration begins again",
	)
	if err != nil {
		return err
	}
	return d.step(
		"read a PV of each IOC from outside the cluster, over CA and PVA",
		func() error { return d.readOutside(ctx, line.name()) },
	)
}

// policy writes a policy where the cluster is not that of tagline up, which needs none
// to be written: this machine offered another.
func (d *demo) policy(ctx context.Context, line string) error {
	b := &beamlineCluster{}
	if err := d.kubeconfig(b); err != nil || d.ownCluster(b) {
		return err
	}
	return d.tagline(ctx, "policy", "init", line, "--unsigned", "this is a demonstration")
}

// tagline runs one command line as a person would, and shows it.
func (d *demo) tagline(ctx context.Context, words ...string) error {
	return d.step(shellLine("tagline", words), func() error {
		return d.command(ctx, &indented{w: d.Err}, words)
	})
}

// command runs one command line in the folder where the demonstration is. The
// repository there names the registry, whatever this shell's environment does.
func (d *demo) command(ctx context.Context, out io.Writer, words []string) error {
	env := func(name string) string {
		if name == "TAGLINE_REGISTRY" {
			return ""
		}
		return d.env(name)
	}
	sub := &app{Streams: Streams{In: d.In, Out: out, Err: &indented{w: d.Err}}, env: env}
	root := sub.root()
	root.SetArgs(words)
	if d.at != "" {
		root.SetArgs(append([]string{"--repo", d.at}, words...))
	}
	return root.ExecuteContext(ctx)
}

// step runs one named step and keeps how long it took.
func (d *demo) step(what string, work func() error) error {
	if d.at != d.shown {
		fmt.Fprintf(d.Err, "\n$ cd %s", d.at)
		d.shown = d.at
	}
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
	if err := d.command(ctx, &out, []string{"record", line + "/" + demoFirst, "--output", "json"}); err != nil {
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
	for _, s := range d.took {
		mark := "✔"
		if !s.ok {
			mark = "✘"
		} else if strings.HasPrefix(s.what, "git ") {
			continue // they are many, and quick
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", mark, s.what, short(s.time))
	}
	fmt.Fprintf(t, "\tall\t%s\n", short(time.Since(d.start)))
	t.Flush()
	if d.work == "" {
		return
	}
	fmt.Fprintf(d.Out, "\nWhere to look next:\n")
	if d.env("TAGLINE_REGISTRY") != "" {
		fmt.Fprintf(d.Out, "  unset TAGLINE_REGISTRY    # it goes over what a repository says\n")
	}
	fmt.Fprintf(d.Out, "  cd %s && tagline record %s/%s\n", filepath.Join(d.work, demoLine), demoLine, demoFirst)
	fmt.Fprintf(d.Out, "  (eval \"$(tagline env)\" && kubectl -n %s get pods)\n", demoLine)
	fmt.Fprintf(d.Out, "  %s has the repositories, which are served at %s\n", d.work, d.served)
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
