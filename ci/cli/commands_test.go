package cli

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bare runs a command line where nothing is set, in the folder of the test, and returns
// its exit status and what it wrote.
func bare(t *testing.T, words ...string) (status int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	streams := Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr}
	status = Main(t.Context(), streams, func(string) string { return "" }, words)
	return status, stdout.String(), stderr.String()
}

// refused runs a command line that nobody can mean, and returns why it was refused.
func refused(t *testing.T, words ...string) string {
	t.Helper()
	status, out, errs := bare(t, words...)
	assert.Equal(t, 2, status, "%s: %s", words, errs)
	assert.Empty(t, out, words)
	assert.True(t, strings.HasPrefix(errs, "tagline: ") && strings.HasSuffix(errs, "\n"), errs)
	return errs
}

// leaves returns the commands that do something, by what is typed for them: "tag next".
func leaves() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	var look func(cmd *cobra.Command, words string)
	look = func(cmd *cobra.Command, words string) {
		for _, c := range cmd.Commands() {
			if words := strings.TrimSpace(words + " " + c.Name()); !c.Hidden {
				look(c, words)
				if !c.HasSubCommands() || c.Name() == "hook" {
					all[words] = c
				}
			}
		}
	}
	look((&app{}).root(), "")
	return all
}

// TestEveryCommand: each command says what could stand where an argument is missing, takes
// none too many, knows its flags, and refuses a form of output before it does anything.
func TestEveryCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	all := leaves()
	require.Greater(t, len(all), 50)
	for _, words := range slices.Sorted(maps.Keys(all)) {
		t.Run(words, func(t *testing.T) {
			cmd, line := all[words], strings.Fields(words)
			assert.NotEmpty(t, cmd.Short)
			require.NotNil(t, cmd.Args, "a.takes names its arguments")
			given := []string{}
			for cmd.Args(cmd, given) != nil {
				require.Less(t, len(given), 9, "it never has enough")
				says := refused(t, slices.Concat(line, given)...)
				assert.Contains(t, says, "tagline: reading the command line: name ")
				assert.Contains(t, says, "; see tagline "+words+" --help\n")
				given = append(given, "x")
			}
			if most := slices.Concat(given, slices.Repeat([]string{"y"}, 9)); cmd.Args(cmd, most) != nil {
				assert.Contains(t, refused(t, slices.Concat(line, most)...), `is one argument too many; see tagline `)
			} else {
				assert.Regexp(t, `…|\.\.\.`, cmd.Use, "what may be repeated is written so")
			}
			line = append(line, given...)
			says := refused(t, append(line, "--nonsense")...)
			assert.Contains(t, says, "unknown flag: --nonsense; see tagline "+words)
			says = refused(t, append(line, "--output", "xml")...)
			assert.Contains(t, says, `reading --output: "xml" is no form of this result; use text`)
		})
	}
}

// TestMistypedWords: a word that is none names those that are near.
func TestMistypedWords(t *testing.T) {
	for _, words := range []string{"", "tag", "policy", "module", "init", "new"} {
		says := refused(t, append(strings.Fields(words), "frobnicate")...)
		assert.Contains(t, says, `there is no command "frobnicate"; see tagline `)
		assert.Contains(t, says, words+" --help\n")
	}
	for line, says := range map[string]string{
		"promot":                  `there is no command "promot"; did you mean tagline promote?`,
		"tag nxt":                 `there is no command "nxt"; did you mean tagline tag next?`,
		"policy shw x":            `there is no command "shw"; did you mean tagline policy show?`,
		"module ad":               `there is no command "ad"; did you mean tagline module add?`,
		"new isntance":            `there is no command "isntance"; did you mean tagline new instance?`,
		"init frobs":              `there is no command "frobs"; see tagline init --help`,
		"frobnicate":              `there is no command "frobnicate"; see tagline --help`,
		"status -o":               `flag needs an argument: 'o' in -o; see tagline status --help`,
		"move b i --node":         `flag needs an argument: --node; see tagline move --help`,
		"logs b --since soon":     `invalid argument "soon" for "--since" flag`,
		"logs b --lines many":     `invalid argument "many" for "--lines" flag`,
		"promote b 1 --timeout 5": `invalid argument "5" for "--timeout" flag: time: missing unit in duration`,
	} {
		assert.Contains(t, refused(t, strings.Fields(line)...), says)
	}
}

// TestWhereNothingIs: in an empty folder, with no environment at all, a command says what
// it lacks and how to give it. It takes nothing from whatever folder it is run in.
func TestWhereNothingIs(t *testing.T) {
	t.Chdir(t.TempDir())
	const (
		repository = "opening .: no git repository here or above; name a folder of the site's repository"
		registry   = "looking for the registry: none is named; give --registry or TAGLINE_REGISTRY, " +
			"name it in tagline.yaml, or run tagline up"
		cluster = "looking for the cluster: no kubeconfig is named, and nothing is up; " +
			"give --kubeconfig or KUBECONFIG, or run tagline up"
		home     = "looking for what tagline up keeps: HOME is not set; set HOME, or name a folder in TAGLINE_STATE"
		terminal = ": this is no terminal; run it from a terminal, or use tagline logs"
	)
	lacks := map[string]string{
		"env":          home, // as of up, down and demo, which this test must not start by mistake
		"plan x/1.0.0": repository, "plan --since HEAD": repository, "check": repository, "check x/1.0.0": repository,
		"chart x y": repository, "lock": repository, "generate": repository, "doctor": repository,
		"release x/1.0.0": repository, "diff x/1.0.0 x/1.1.0": repository, "github-release x/1.0.0": repository,
		"module add https://x/y R1": repository, "module import y": repository, "tag check": repository,
		"tag sort": repository, "tag next x": repository, "tag hook install": repository,
		"new image x --from b": repository, "new instance x y --image b": repository,
		"record x/1.0.0": registry, "gate x 1.0.0": registry, "promote x 1.0.0": registry, "approve x 1.0.0": registry,
		"approvals x 1.0.0": registry, "revoke x 1.0.0 K": registry,
		"rollback x": cluster, "versions x": cluster, "status": cluster, "status x": cluster,
		"status x --watch": cluster,
		"history x":        cluster, "find P": cluster, "logs x": cluster, "page": cluster,
		"stop x --reason r":  cluster,
		"start x --reason r": cluster, "restart x --reason r": cluster, "move x y --reason r": cluster,
		"remove x --reason r": cluster, "acknowledge x y --reason r": cluster, "policy show x": cluster,
		"policy init x": cluster, "policy guard x": registry,
		"console x y":            "joining the IOC shell of y" + terminal,
		"shell x y":              "opening a shell in y" + terminal,
		"record 1.0.0":           "1.0.0: no asset before the version; tag <asset>/<version>",
		"gate x latest":          "latest: not a version; ",
		"policy apply x y":       "reading the policy: open y: no such file or directory; name a file that is there",
		"policy diff x y":        "reading the policy: open y: ",
		"verify x/1.0.0":         "reading the trusted signers: nobody is named; give a public key, an identity or a policy",
		"verify x/1.0.0 --key y": "reading the public key: open y: no such file or directory; name the .pub file",
		"render x 1.0.0":         "reading the trusted signers: nobody is named",
		"render x 1.0.0 --git u": "reading the trusted signers: nobody is named",
		"new module":             "name the new support module: asyn; ",
		"init ioc x":             "reading the command line: --registry is missing; give the registry and path",
		"init ioc x --registry":  "flag needs an argument: --registry; ",
		"new image x":            "reading the command line: --from is missing; give the released image",
	}
	for line, says := range lacks {
		t.Run(line, func(t *testing.T) { assert.Contains(t, refused(t, strings.Fields(line)...), says) })
	}
	for words, cmd := range leaves() {
		tried := slices.ContainsFunc(slices.Collect(maps.Keys(lacks)), func(line string) bool {
			return strings.HasPrefix(line+" ", words+" ")
		})
		nothing := slices.Contains([]string{"version", "key", "tag hook", "up", "down", "demo"}, words)
		begins := slices.Contains([]string{"init", "new"}, cmd.Parent().Name())
		assert.True(t, tried || nothing || begins, "%s is not tried", words)
	}
	status, out, errs := bare(t, "version")
	assert.Zero(t, status)
	assert.NotEmpty(t, out)
	assert.Empty(t, errs)
	status, out, _ = bare(t, "key", "k", "-o", "json")
	assert.Zero(t, status)
	assert.JSONEq(t, `{"private": "k", "public": "k.pub"}`, out)
}
