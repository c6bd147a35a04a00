package cli

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"
)

// build describes this binary by what the Go toolchain wrote into it.
type build struct {
	// Version is the tag it was built at, "v1.2.3", or "devel" between tags.
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`   // 40 hex digits
	Time     string `json:"time,omitempty"`     // of the commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // with changes that were not committed
	Go       string `json:"go"`                 // the toolchain: "go1.26.0"
	Platform string `json:"platform"`           // "linux/amd64"
}

// thisBuild returns what this binary is. A binary that `go install` built from a
// module proxy has a version and no commit.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: devel}
	}
	return readBuild(info)
}

// devel is the version of what is no release.
const devel = "devel"

func readBuild(info *debug.BuildInfo) build {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	b := build{
		Version:  info.Main.Version,
		Commit:   settings["vcs.revision"],
		Time:     settings["vcs.time"],
		Modified: settings["vcs.modified"] == "true",
		Go:       info.GoVersion,
		Platform: settings["GOOS"] + "/" + settings["GOARCH"],
	}
	// A pseudo-version names a commit between tags; the commit is there anyway.
	released := strings.HasPrefix(b.Version, "v") && !module.IsPseudoVersion(b.Version)
	if !released || strings.Contains(b.Version, "+dirty") {
		b.Version = devel
	}
	return b
}

// ref returns the git ref of Tagline's repository that this binary was built at:
// its tag, else its commit; empty where neither is known, or it was changed since.
func (b build) ref() string {
	switch {
	case b.Version != devel:
		return b.Version
	case b.Modified:
		return ""
	}
	return b.Commit
}

// newVersion is `tagline version`.
func newVersion(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "version",
		Short: "Show which Tagline this is",
		Long: "Shows the version and commit that this command was built from, and with what.\n" +
			"Between releases the version is devel.",
		Example: "  tagline version\n  tagline version --output json",
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return a.print(b, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, b)
				return err
			})
		},
	})
}

// String returns the build as a person reads it, on one line.
func (b build) String() string {
	text := "tagline " + b.Version
	if b.Commit != "" {
		text += fmt.Sprintf(", commit %.12s", b.Commit)
	}
	if b.Time != "" {
		text += " of " + b.Time
	}
	if b.Modified {
		text += ", modified"
	}
	return fmt.Sprintf("%s, %s, %s", text, b.Go, b.Platform)
}
