package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/ci/cli"
	"github.com/tagline-ci/tagline/ci/tutorialtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tagline": func() {
		os.Exit(
			cli.Main(
				context.Background(),
				cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr},
				os.Getenv,
				os.Args[1:],
			),
		)
	}, "gh": tutorialtest.GitHubCommand})
}

// TestScripts runs the transcripts of testdata: commands as a person types
// them, what they print, and how they end.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       golden.FlagUpdate(),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"seal":       seal,
			"sealcharts": sealCharts,
			"pushed":     pushed,
			"pages":      pages,
			"github":     setGitHub,
			"runs":       runs,
			"scaled":     scaled,
			"parses":     parses,
		},
		Setup: func(e *testscript.Env) error {
			serve(e)
			serveGitHub(e)
			e.Setenv("HOME", e.WorkDir)
			for name, value := range map[string]string{
				"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
				"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
				// The same commits have the same hashes in every run.
				"GIT_AUTHOR_DATE": "2026-11-01T12:00:00Z", "GIT_COMMITTER_DATE": "2026-11-01T12:00:00Z",
				"GIT_CONFIG_NOSYSTEM": "1",
			} {
				e.Setenv(name, value)
			}
			return nil
		},
	})
}

// parses is a command of transcripts: parses fails where the stdout of the last command is
// not one JSON document.
func parses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: parses")
	}
	var any json.RawMessage
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &any); err != nil {
		ts.Fatalf("stdout is no JSON: %v", err)
	}
}
