package smoke

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

func text(s string) *string { return &s }

func number(f float64) *float64 { return &f }

// stage has one check of each kind.
var stage = Subject{Name: "ioc-simstage", File: "image.yaml", Checks: []recipe.Check{
	{PV: "A", Line: 3, Advances: true},
	{PV: "B", Line: 4, Put: text("5"), Reads: "B.RBV", Value: text("5"), Within: 2.5},
	{PV: "C", Line: 5, Min: number(1), Max: number(2.5), Units: "mm", Severity: "NO_ALARM", Type: "double"},
	{PV: "B", Line: 6, Put: text("7"), Value: text("7")},
	{PV: "D", Line: 7},
}}

func TestQuestions(t *testing.T) {
	require.Equal(t, "check 0\npv A\nadvances \n"+
		"check 1\npv B\nput 5\nreads B.RBV\nvalue 5\nwithin 2.5\n"+
		"check 2\npv C\nmin 1\nmax 2.5\nunits mm\nseverity NO_ALARM\ntype double\n"+
		"check 3\npv B\nput 7\nvalue 7\ncheck 4\npv D\n", questions(stage.checks(1)))
}

// After a restart nothing is written: what was written last must be there.
func TestChecksAfterARestart(t *testing.T) {
	s := stage
	s.Restart = true
	require.Equal(t, []recipe.Check{{PV: "B", Line: 6, Value: text("7")}}, s.checks(2))
	s.Restart, s.Autosave = false, true
	require.Equal(t, "check 0\npv A\nadvances \ncheck 1\npv C\nmin 1\nmax 2.5\nunits mm\nseverity NO_ALARM\ntype double\n"+
		"check 2\npv D\n", questions(s.checks(2)))
	require.Equal(t, 2, s.boots())
	require.Equal(t, 1, stage.boots())
}

func TestAnswers(t *testing.T) {
	b := &bootLog{started: true, answers: []string{"protocol ca", "protocol pva", "0 ca ok", "0 pva stays at 3",
		"1 ca is 4.9, not 5,", "3 ca ok", "2 pva ok", "CA.Client.Exception", "99 ca ok"}}
	require.Equal(t, []string{
		"image.yaml:3: ioc-simstage: A stays at 3 over pva",
		"image.yaml:4: ioc-simstage: B.RBV is 4.9, not 5, over ca",
	}, b.wrongAnswers(stage, 1))
	require.Equal(t, []string{
		"A advances (ca)", "B is 7 (ca)",
		"C is at least 1, is at most 2.5, is in mm, has the severity NO_ALARM, is of type double (pva)",
	}, b.evidence(stage, 1))
	require.Equal(t, []string{"image.yaml: ioc-simstage serves neither Channel Access nor pvAccess"},
		(&bootLog{started: true}).wrongAnswers(stage, 1))
}

// A shell reads a simulator's command as its words were written.
func TestQuoted(t *testing.T) {
	words := []string{"echo", "-n", "it's", "", "a b", `"$HOME"`, "`id`", "new\nline", `\`, "*", "%s"}
	out, err := exec.Command("sh", "-c", "set -- "+quoted(words)+`; for w; do printf '<%s>' "$w"; done`).Output()
	require.NoError(t, err)
	require.Equal(t, "<"+strings.Join(words, "><")+">", string(out))
	require.Equal(t, `'sh' '-c' 'it'\''s $HOME'`, quoted([]string{"sh", "-c", "it's $HOME"}))
}
