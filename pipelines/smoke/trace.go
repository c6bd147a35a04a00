package smoke

import (
	"context"
	_ "embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

//go:embed trace.sh
var traceScript string

//go:embed absent.sh
var absentScript string

//go:embed owner.sh
var ownerScript string

// Complete checks that the runtime image has every file that the IOC opens: it
// boots the IOC once more, in the developer image, which has all there is, and
// looks in the runtime image for what was opened there. A fault names the
// support module or Debian package that a missing file is of.
func (t Tester) Complete(ctx context.Context, s Subject) (*record.Test, error) {
	result := &record.Test{Name: record.ContentsTest, Of: s.Name, Digest: s.Digest}
	opened, err := t.opened(ctx, s)
	if err != nil {
		return nil, err
	}
	missing, err := lines(ctx, s.Runtime, absentScript, opened)
	if err != nil {
		return nil, fmt.Errorf("looking for what %s opens: %w", s.Name, err)
	}
	for _, file := range missing {
		fault, err := s.missing(ctx, file)
		if err != nil {
			return nil, err
		}
		result.Faults = append(result.Faults, fault)
	}
	if t.Known && len(missing) > 0 {
		return Tester{Client: t.Client}.Complete(ctx, s)
	}
	if result.Passed = len(missing) == 0; result.Passed {
		result.Evidence = []string{"every file that the IOC opens is in the runtime image"}
	}
	return result, nil
}

// mayTrace is what to do when strace does not see the IOC.
const mayTrace = "let the engine's containers use ptrace"

// opened returns the files that the IOC opens and the programs that it runs, from
// its start to its stop: absolute paths, sorted, without what the machine or
// the instance brings.
func (t Tester) opened(ctx context.Context, s Subject) ([]string, error) {
	entry, err := s.Runtime.Entrypoint(ctx)
	if err != nil {
		return nil, err
	}
	whole := s
	whole.Runtime = debian.Tools(s.Clients, "strace").WithWorkdir(layout.Config)
	whole.Own, whole.Checks, whole.Autosave, whole.Restart = nil, nil, false, false
	// -z: only what was there counts.
	command := slices.Concat([]string{layout.Run, "strace", "-f", "-qqq", "-z", "-e", "trace=open,openat,execve",
		"-o", "/smoke/trace/opened"}, program(entry), []string{startup.Script})
	c, err := t.isolated([]Subject{whole}, traceScript, command)
	if err != nil {
		return nil, err
	}
	out, err := c.Stdout(ctx)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "tracing", Asset: s.Name,
			Err: engine.Explain(err), Fix: engine.Fix(err, mayTrace)}
	}
	opened := readTrace(out)
	if !slices.Contains(opened, program(entry)[0]) {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "tracing", Asset: s.Name,
			Err: fmt.Errorf("strace did not see %s start", program(entry)[0]), Fix: mayTrace}
	}
	return opened, nil
}

// program is what an entrypoint starts, without ioc-run.
func program(entry []string) []string {
	return slices.DeleteFunc(slices.Clone(entry), func(word string) bool { return word == layout.Run })
}

var openedFile = regexp.MustCompile(`^\d+ +(?:openat\(AT_FDCWD, |open\(|execve\()"(/[^"]+)"(.*)`)

// brought are the folders whose files no image is made of.
var brought = []string{"/dev/", "/proc/", "/sys/", "/run/", "/tmp/", "/smoke/", layout.Config + "/",
	layout.Autosave + "/", layout.RunFolder + "/"}

// readTrace reads strace's output: the absolute paths that were opened to be
// read, sorted, each once.
func readTrace(out string) []string {
	var all []string
	for line := range strings.Lines(out) {
		m := openedFile.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[2], "O_DIRECTORY") || strings.Contains(m[2], "O_CREAT") {
			continue
		}
		file := path.Clean(m[1])
		if !slices.ContainsFunc(brought, func(dir string) bool { return strings.HasPrefix(file, dir) }) {
			all = append(all, file)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// missing is the fault of a file that the runtime image lacks.
func (s Subject) missing(ctx context.Context, file string) (string, error) {
	const support = "/epics/support/"
	if rest, ok := strings.CutPrefix(file, support); ok {
		module, in, _ := strings.Cut(rest, "/")
		return fmt.Sprintf("generic-iocs/support/%s.yaml: %s opens %s of the support module %s, which is not in the "+
			"runtime image; add %s to files", module, s.Name, file, module, in), nil
	}
	if strings.HasPrefix(file, "/epics/") {
		return fmt.Sprintf("%s: %s opens %s, which is not in the runtime image; it is of %s", s.File, s.Name, file,
			strings.Split(file, "/")[2]), nil
	}
	owners, err := lines(ctx, s.Clients, ownerScript, []string{file})
	if err != nil {
		return "", fmt.Errorf("looking for the Debian package of %s: %w", file, err)
	}
	if len(owners) == 0 {
		return fmt.Sprintf("%s: %s opens %s, which is not in the runtime image and of no Debian package; read it from "+
			"a support module", s.File, s.Name, file), nil
	}
	return fmt.Sprintf("%s: %s opens %s of the Debian package %s, which is not in the runtime image; add %[4]s to "+
		"packages.run", s.File, s.Name, file, owners[0]), nil
}

// lines runs a shell script with arguments and returns the lines it prints.
func lines(ctx context.Context, c *dagger.Container, script string, args []string) ([]string, error) {
	out, err := c.WithExec(append([]string{"sh", "-c", script, "sh"}, args...)).Stdout(ctx)
	if err != nil {
		return nil, engine.Explain(err)
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), nil
}
