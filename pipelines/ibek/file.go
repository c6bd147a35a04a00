package ibek

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// installFile is <module>/<module>.install.yml, which ibek-support reads as the
// variables of an Ansible role.
type installFile struct {
	Module       string            `json:"module" jsonschema:"minLength=1"`
	Version      string            `json:"version" jsonschema:"minLength=1"`
	Organization string            `json:"organization,omitempty"`
	GitRepo      string            `json:"git_repo,omitempty"`
	Recursive    bool              `json:"recursive,omitempty"`
	Macro        string            `json:"macro,omitempty"`
	DBDs         []string          `json:"dbds,omitempty"`
	Libs         []string          `json:"libs,omitempty"`
	Protocols    []string          `json:"protocol_files,omitempty"`
	RuntimeFiles []string          `json:"runtime_files,omitempty"`
	AptDeveloper []string          `json:"apt_developer,omitempty"`
	AptRuntime   []string          `json:"apt_runtime,omitempty"`
	Downloads    []change          `json:"download_extras,omitempty"`
	RemoveMacros []string          `json:"remove_macros,omitempty"`
	MoreMacros   map[string]string `json:"extra_release_macros,omitempty"`
	RemoveFiles  []string          `json:"remove_files_prebuild,omitempty"`
	CommentOut   []change          `json:"comment_out,omitempty"`
	PatchLines   []change          `json:"patch_lines,omitempty"`
	PatchBlocks  []change          `json:"patch_blocks,omitempty"`
	PatchFile    *change           `json:"patch_file,omitempty"`
	Scripts      []change          `json:"scripts,omitempty"`
	Tasks        []change          `json:"tasks,omitempty"`
	Bash         []change          `json:"bash,omitempty"`
	MakeOptions  *string           `json:"make_options,omitempty"`
	LocalPath    string            `json:"local_path,omitempty"`
}

// change is something that is done to a module's folder before or after its build.
// Which of its keys there are depends on where it stands.
type change struct {
	Path        string `json:"path,omitempty"`
	Regexp      string `json:"regexp,omitempty"`
	Line        string `json:"line,omitempty"`
	Block       string `json:"block,omitempty"`
	Cmd         string `json:"cmd,omitempty"`
	Commit      string `json:"commit,omitempty"`
	URL         string `json:"url,omitempty"`
	Dest        string `json:"dest,omitempty"`
	Marker      string `json:"marker,omitempty"`
	InsertAfter string `json:"insertafter,omitempty"`
	PostBuild   bool   `json:"post_build,omitempty"`
	// When is a truth value, or an expression of Ansible's; nil where there is none.
	When any `json:"when,omitempty"`
}

var schema = sync.OnceValue(func() *strictyaml.Schema[installFile] {
	return strictyaml.New[installFile]("Module of ibek-support", "<module>/<module>.install.yml of a catalogue.")
})

// when is in which builds a change is made.
type when int

const (
	always when = iota
	never
	onRTEMS
	unclear
)

// made returns in which builds a change is made, of those that Tagline has.
func (c change) made() when {
	words := strings.Fields(strings.NewReplacer("{{", " ", "}}", " ", "|", " ").Replace(fmt.Sprint(c.When)))
	if len(words) == 2 && words[1] == "bool" {
		words = words[:1]
	}
	switch strings.ToLower(strings.Join(words, " ")) {
	case "<nil>", "", "true", "is_linux":
		return always
	case "false":
		return never
	case "is_rtems":
		return onRTEMS
	}
	return unclear
}
