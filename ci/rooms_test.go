package ci_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The two sides between which only the record crosses.
var (
	releaseSide = []string{"release", "image", "source", "debian", "runtimeimage", "engine", "smoke", "chart"}
	promoteSide = []string{
		"promote", "cluster", "ledger", "helm", "pods", "pvs", "status", "operate", "page", "gate", "policy",
		"approval", "events", "channelaccess",
	}
)

// kinds is Kubernetes's table of kinds: data, with which charts are checked.
const kinds = "k8s.io/client-go/kubernetes/scheme"

// wall is what the rooms of one side may not import.
type wall struct {
	rooms     []string
	forbidden []string // import paths, with all below them
	why       string
}

var walls = []wall{
	{
		releaseSide,
		[]string{"k8s.io/client-go", module + "pipelines/promote", module + "pipelines/cluster"},
		"a release knows no cluster",
	},
	{
		promoteSide,
		[]string{
			"dagger.io/dagger",
			module + "pipelines/release",
			module + "pipelines/engine",
			module + "pipelines/image",
			module + "pipelines/smoke",
		},
		"a promotion needs no engine",
	},
	{
		[]string{"cluster"},
		[]string{module + "pipelines/record", "helm.sh/helm"},
		"the way into a cluster knows nothing of what runs there",
	},
	{[]string{"channelaccess"}, []string{"k8s.io"}, "an IOC is asked without its cluster"},
	{[]string{"ledger", "pods"}, []string{"helm.sh/helm"}, "Helm is the room helm's alone"},
	{
		[]string{"ledger", "helm", "pods", "pvs", "status", "operate", "page", "events"},
		[]string{module + "pipelines/promote", module + "pipelines/registry", module + "pipelines/gate"},
		"what runs is read without the registry and the gate",
	},
	{
		[]string{"manifests"},
		[]string{
			"dagger.io/dagger", "k8s.io/client-go", module + "pipelines/release", module + "pipelines/promote",
			module + "pipelines/cluster", module + "pipelines/gate",
		},
		"what is delivered from git needs neither engine nor cluster",
	},
	{
		[]string{"github"},
		[]string{"dagger.io/dagger", "k8s.io/client-go"},
		"a release page needs neither engine nor cluster",
	},
	{
		[]string{"recipe", "lockfile", "image", "source", "debian", "runtimeimage", "smoke"},
		[]string{module + "pipelines/recipefile"},
		"what is built is a value, whoever read or released it",
	},
	{
		[]string{"registry/content"},
		[]string{
			"net/http", "os/exec", "github.com/google/go-containerregistry/pkg/v1/remote",
			module + "pipelines/registry",
		},
		"what is kept in a registry is made and read without one",
	},
	{
		[]string{
			"asset", "version", "check", "recipe", "recipefile", "lockfile", "layout", "upstream", "newmodule", "ibek",
			"beamline", "plan", "record", "diag", "legible",
		},
		[]string{"dagger.io/dagger", "k8s.io/client-go", "helm.sh/helm", "net/http", "os/exec"},
		"a pure room touches nothing",
	},
}

// TestWalls: what the design keeps apart stays apart, through other rooms too.
func TestWalls(t *testing.T) {
	reach := reachable(sources(t))
	for _, w := range walls {
		for _, room := range w.rooms {
			for _, fault := range w.faults(room, reach) {
				t.Error(fault)
			}
		}
	}
}

// faults returns the ways in which a room passes the wall.
func (w wall) faults(room string, reach map[string]map[string]string) (all []string) {
	for _, p := range slices.Sorted(maps.Keys(reach["pipelines/"+room])) {
		for _, f := range w.forbidden {
			if p != kinds && (p == f || strings.HasPrefix(p, f+"/")) {
				all = append(
					all,
					fmt.Sprintf(
						"pipelines/%s imports %s through %s: %s",
						room,
						p,
						reach["pipelines/"+room][p],
						w.why,
					),
				)
			}
		}
	}
	return all
}

// reachable returns for each room what it imports, directly or through other
// rooms of this repository, and the room that does.
func reachable(all []source) map[string]map[string]string {
	direct := map[string][]string{}
	for _, s := range all {
		if !s.test() {
			direct[s.room()] = append(direct[s.room()], slices.Collect(maps.Values(s.imports()))...)
		}
	}
	reach := map[string]map[string]string{}
	for room := range direct {
		reach[room] = map[string]string{}
		follow(room, direct, reach[room])
	}
	return reach
}

// follow adds what a room imports to found.
func follow(room string, direct map[string][]string, found map[string]string) {
	for _, p := range direct[room] {
		if _, ok := found[p]; ok {
			continue
		}
		found[p] = room
		if inside, ok := strings.CutPrefix(p, module); ok {
			follow(inside, direct, found)
		}
	}
}

// stories are the rooms of one bare machine's stand-ins, from the ground up. A
// room may import those of lower stories, and none beside it.
var stories = [][]string{
	{"state", "reach"}, {"process"}, {"debian", "shelf", "host", "leaf"}, {"engine", "cluster"}, {""},
}

// TestStories: the arrows between the rooms of ci/local run downward.
func TestStories(t *testing.T) {
	story := map[string]int{}
	for i, rooms := range stories {
		for _, room := range rooms {
			story[path.Join("ci/local", room)] = i
		}
	}
	seen := map[string]bool{}
	for _, s := range sources(t) {
		mine, ok := story[s.room()]
		if !ok || s.test() {
			continue
		}
		seen[s.room()] = true
		for _, fault := range s.upward(mine, story) {
			t.Error(fault)
		}
	}
	assert.Len(t, seen, len(story), "a room of the stories is not there")
}

// upward returns the imports of a file of the given story that lead to the same
// story or a higher one, and those of rooms that stand above all stories.
func (s source) upward(mine int, story map[string]int) (faults []string) {
	for _, p := range s.imports() {
		room, ours := strings.CutPrefix(p, module)
		other, known := story[room]
		switch {
		case !ours:
		case known && other >= mine:
			faults = append(faults, fmt.Sprintf("%s imports %s, which does not lie below it", s.name, room))
		case !known && strings.HasPrefix(room, "ci/"):
			faults = append(faults, fmt.Sprintf("%s imports %s, which has no story", s.name, room))
		}
	}
	return faults
}

// silent are the calls and streams that belong to a command, not to a library:
// pipelines/ returns results and errors, and ci/ prints them.
var silent = map[string][]string{
	"os":  {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Exit", "Stdout", "Stderr", "Stdin"},
	"fmt": {"Print", "Println", "Printf"},
	"log": {"Fatal", "Fatalf", "Fatalln", "Print", "Printf", "Println", "Panic"},
}

// TestSilentLibrary: the library neither prints, exits, nor reads the environment.
func TestSilentLibrary(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.name, "pipelines/") && !s.test() {
			for _, fault := range s.loud() {
				t.Error(fault)
			}
		}
	}
}

// loud returns the uses of what the library may not use.
func (s source) loud() (faults []string) {
	imports := s.imports()
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if ok && slices.Contains(silent[imports[x.Name]], sel.Sel.Name) {
			faults = append(
				faults,
				fmt.Sprintf("%s: %s.%s: pass it in, or return it", s.place(n.Pos()), x.Name, sel.Sel.Name),
			)
		}
		return true
	})
	return faults
}

// TestTreeRulesBite shows each rule a file that breaks it.
func TestTreeRulesBite(t *testing.T) {
	parse := func(name, text string) source {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		return source{name, []byte(text), file, fset}
	}
	bad := parse("pipelines/promote/bad.go", `package promote

import (
	"encoding/json"
	say "fmt"
	"os"

	"github.com/tagline-ci/tagline/pipelines/help"
)

type Open struct{}

func (Open) Do() { say.Println(os.Getenv("HOME")); help.Me() }

type hidden struct{}

func (hidden) Do() {}

const One, Two = 1, 2
`)
	assert.Len(t, bad.undocumented(), 4, "Open, Open.Do, One and Two")
	assert.Len(t, bad.loud(), 2, "Println and Getenv")
	long := parse("a.go", "package a\n\nfunc f() {\n"+strings.Repeat("\tg()\n", 80)+"}\n")
	assert.Len(t, long.longFunctions(), 1)

	host := parse("ci/local/host/bad.go", `package host

import (
	"encoding/json"
	"github.com/tagline-ci/tagline/ci/cli"
	"github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/state"
)
`)
	story := map[string]int{"ci/local/state": 0, "ci/local/host": 1, "ci/local/engine": 2}
	assert.Len(t, host.upward(1, story), 2, "cli and engine")

	help := parse("pipelines/help/help.go", "package help\n\nimport _ \"dagger.io/dagger/telemetry\"\n")
	reach := reachable([]source{bad, help})
	assert.Equal(
		t,
		[]string{
			"pipelines/promote imports dagger.io/dagger/telemetry through pipelines/help: a promotion needs no engine",
		},
		walls[1].faults("promote", reach),
	)
}

// TestTheDaggerModuleGetsWhatItImports: dagger.json lists the folders that a call
// takes along, and a room that it does not list is missing there alone.
func TestTheDaggerModuleGetsWhatItImports(t *testing.T) {
	text, err := os.ReadFile("../dagger.json")
	require.NoError(t, err)
	var config struct{ Include []string }
	require.NoError(t, json.Unmarshal(text, &config))
	needed := reachable(sources(t))["ci/module"]
	require.Contains(t, needed, module+"pipelines/release")
	for imported := range needed {
		room, ours := strings.CutPrefix(imported, module)
		if !ours {
			continue
		}
		assert.True(t, slices.ContainsFunc(config.Include, func(pattern string) bool {
			folder, below := strings.CutSuffix(pattern, "/**")
			return below && (room == folder || strings.HasPrefix(room, folder+"/"))
		}), "ci/module imports %s, which dagger.json does not include", imported)
	}
}
