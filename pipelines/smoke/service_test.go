package smoke

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// pyioc is a service as it is tested.
func pyioc() Service {
	return Service{
		Name: "bl01t-py", File: "values.yaml", Line: 4, Image: "ghcr.io/x/pyioc:1@sha256:1",
		Command: []string{"python", "--check"}, Within: time.Minute, Config: map[string][]byte{"a": []byte("1")},
		Env: map[string]string{"A": "1"}, User: "1000:1000",
	}
}

func TestJudgeService(t *testing.T) {
	for _, c := range []struct{ out, fault, log string }{
		{"fine\n@exit 0\n", "", ""},
		{
			"@exit 0\nTraceback\n\n@exit 1\n",
			"values.yaml:4: python --check ended with exit status 1 in ghcr.io/x/pyioc:1@sha256:1; mend it or the " +
				"image, so that it ends with 0",
			"@exit 0\nTraceback",
		},
		{
			"waiting\n@exit 124\n",
			"values.yaml:4: python --check did not end within 1m0s; speed it up, or allow more in boot.within",
			"waiting",
		},
	} {
		test := &record.Test{}
		require.NoError(t, pyioc().judge(test, c.out))
		require.Equal(t, c.fault == "", test.Passed)
		require.Equal(t, c.fault, strings.Join(test.Faults, ""))
		require.Equal(t, c.log, test.Log)
	}
	require.ErrorContains(t, pyioc().judge(&record.Test{}, "fine\n"), "did not say how")
}

// Each field of a service changes the digest of what was tested.
func TestEachInputOfAServiceCounts(t *testing.T) {
	seen := map[string]bool{string(pyioc().Inputs()): true}
	for _, change := range []func(*Service){
		func(s *Service) { s.Name = "b" }, func(s *Service) { s.File = "b" }, func(s *Service) { s.Line = 5 },
		func(s *Service) { s.Image = "ghcr.io/x/pyioc:1@sha256:2" }, func(s *Service) { s.Command = nil },
		func(s *Service) { s.Within = time.Hour }, func(s *Service) { s.Config["a"] = nil },
		func(s *Service) { s.Env["A"] = "2" }, func(s *Service) { s.User = "1:1" },
	} {
		s := pyioc()
		change(&s)
		digest := string(s.Inputs())
		require.False(t, seen[digest])
		seen[digest] = true
	}
}

// The command of a service has no network, no privilege, and nowhere to write but /tmp,
// in an image that has no program for it. The script runs in namespaces of its own, on a
// root file system that is put together from programs of this machine.
func TestTheCommandOfAServiceIsAlone(t *testing.T) {
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("it makes namespaces, as root")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	at := strings.NewReplacer("/image", dir+"/image", "/smoke", dir, "/tmp/output", dir+"/output")
	for file, text := range map[string]string{
		"command.sh": at.Replace(commandScript), "enter.pl": at.Replace(enterScript), "loopback.pl": loopbackScript,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644))
	}
	for _, folder := range []string{"proc", "tmp", "dev", "work"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "image", folder), 0o755))
	}
	for _, program := range []string{"sh", "cat", "touch", "sleep"} {
		bring(t, program, dir+"/image")
	}
	run := func(within, command string) (string, string) {
		out, err := exec.Command("unshare", "--mount", "sh", "-c",
			`mount --bind "$1" "$1" && shift && exec sh "$@"`, "sh", dir+"/image", dir+"/command.sh",
			within, "1000:1001", "/work", "A=x y", "PATH=/bin", "--", "sh", "-c", command).CombinedOutput()
		require.NoError(t, err, "%s", out)
		output, status, _ := strings.Cut(string(out), "\n@exit ")
		return output, strings.TrimSpace(status)
	}
	output, status := run("20", `echo "$A"; cat /proc/net/dev
		while read -r key value; do
			case $key in Uid:|Gid:|CapPrm:|CapEff:|NoNewPrivs:) echo "$key $value" ;; esac
		done </proc/self/status
		touch /tmp/x; touch /work/x; exit 3`)
	require.Equal(t, "3", status)
	require.Contains(t, output, "x y\n")
	require.Contains(t, output, "Read-only file system")
	require.NotContains(t, output, "/tmp/x")
	require.Regexp(t, `Uid:\s1000\s1000\s1000\s1000\nGid:\s1001\s1001\s1001\s1001\n`, output)
	require.Regexp(t, `CapPrm:\s0+\nCapEff:\s0+\n`, output)
	require.Regexp(t, `NoNewPrivs:\s1\n`, output)
	var links []string
	for _, m := range regexp.MustCompile(`(?m)^ *(\w+): +\d`).FindAllStringSubmatch(output, -1) {
		links = append(links, m[1])
	}
	require.Equal(t, []string{"lo", "nowhere"}, links, "its network")
	_, status = run("1", "sleep 60")
	require.Equal(t, "124", status)
	_, status = run("20", "exec /no/such/program")
	require.Equal(t, "127", status)
}

// bring copies a program of this machine, with the libraries that it loads, into an image.
func bring(t *testing.T, program, image string) {
	file, err := exec.LookPath(program)
	require.NoError(t, err)
	libraries, err := exec.Command("ldd", file).Output()
	require.NoError(t, err)
	files := map[string]string{"/bin/" + program: file}
	for _, library := range regexp.MustCompile(`/\S+`).FindAllString(string(libraries), -1) {
		files[library] = library
	}
	for to, from := range files {
		text, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(image, filepath.Dir(to)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(image, to), text, 0o755))
	}
}
