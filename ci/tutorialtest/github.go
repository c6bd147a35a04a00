package tutorialtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rhysd/actionlint"
	"github.com/spf13/pflag"
)

// Asked is a run of a workflow that GitHubCommand was asked for.
type Asked struct {
	Workflow string            `json:"workflow"` // "promote.yml"
	Inputs   map[string]string `json:"inputs"`
}

// askedFile is what GitHubCommand leaves in the home of who asks.
const askedFile = ".asked-of-github.json"

// ReadAsked returns the last run that somebody with this home asked for.
func ReadAsked(home string) (a Asked, err error) {
	text, err := os.ReadFile(filepath.Join(home, askedFile))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}

// GitHubCommand stands in for gh, GitHub's own command, which machines without GitHub do
// not have: it takes `gh workflow run FILE -f INPUT=VALUE …`, refuses what GitHub refuses
// of it, by the file as it is on the branch that was pushed, and writes down what is to be
// run. It ends the process where it fails.
func GitHubCommand() {
	if err := askForRun(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gh:", err)
		os.Exit(1)
	}
}

func askForRun(args []string) error {
	if len(args) < 3 || args[0] != "workflow" || args[1] != "run" {
		return fmt.Errorf("%q is no run of a workflow", args)
	}
	text, err := exec.Command("git", "show", "origin/main:.github/workflows/"+args[2]).Output()
	if err != nil {
		return fmt.Errorf("%s is not on the branch that was pushed: %w", args[2], err)
	}
	flags := pflag.NewFlagSet("gh workflow run", pflag.ContinueOnError)
	given := flags.StringToStringP("raw-field", "f", nil, "")
	if err := flags.Parse(args[3:]); err != nil {
		return err
	}
	workflow, faults := actionlint.Parse(text)
	if len(faults) > 0 {
		return faults[0]
	}
	for _, on := range workflow.On {
		if byHand, ok := on.(*actionlint.WorkflowDispatchEvent); ok {
			if err := takes(byHand, *given); err != nil {
				return err
			}
			fmt.Println("made a run of", args[2])
			return writeAsked(Asked{args[2], *given})
		}
	}
	return fmt.Errorf("%s is not run by hand", args[2])
}

// takes refuses inputs that a workflow does not have, and those that it misses.
func takes(byHand *actionlint.WorkflowDispatchEvent, given map[string]string) error {
	for input := range given {
		if byHand.Inputs[input] == nil {
			return fmt.Errorf("unexpected input %q", input)
		}
	}
	for name, input := range byHand.Inputs {
		if _, ok := given[name]; !ok && input.Required != nil && input.Required.Value && input.Default == nil {
			return fmt.Errorf("required input %q is not given", name)
		}
	}
	return nil
}

func writeAsked(a Asked) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv("HOME"), askedFile), text, 0o600)
}
