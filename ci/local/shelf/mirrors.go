package shelf

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// MirrorHandler serves every bare repository <host>/<owner>/<repo>.git below
// dir for reading, at /<host>/<owner>/<repo> with or without ".git". git's own
// server does it, so that any git, and the engine, can be the client.
func MirrorHandler(dir string) (http.Handler, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	libexec, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "looking for git", Err: err, Fix: "install git"}
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(libexec)), "git-http-backend"),
		Root: "/",
		Env: append([]string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}, gitConfig(
			"safe.directory", "*", // whoever put it there
			"uploadpack.allowAnySHA1InWant", "true", // sources are pinned by commit
			"uploadpack.allowFilter", "true",
		)...),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // whoever asks whether we are there
			return
		}
		r.URL.Path = withDotGit(r.URL.Path)
		backend.ServeHTTP(w, r)
	}), nil
}

// gitConfig returns the environment that sets git's options, in pairs.
func gitConfig(pairs ...string) []string {
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(pairs)/2)}
	for i := 0; i < len(pairs); i += 2 {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i/2, pairs[i]),
			fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i/2, pairs[i+1]))
	}
	return env
}

// withDotGit completes the repository's name in a request's path:
// /github.com/o/r/info/refs is /github.com/o/r.git/info/refs.
func withDotGit(path string) string {
	for _, service := range []string{"/info/refs", "/git-upload-pack"} {
		if repo, ok := strings.CutSuffix(path, service); ok && !strings.HasSuffix(repo, ".git") {
			return repo + ".git" + service
		}
	}
	return path
}
