package runtimeimage

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var lddLine = regexp.MustCompile(
	`^\s+(\S+)(?: => (\S+|not found))? \(0x[0-9a-f]+\)$|^\s+(\S+) => not found$`)

// readLdd reads ldd's output: the paths loaded, and the names not found; both
// sorted, each once.
func readLdd(out string) (loaded, missing []string) {
	for line := range strings.Lines(out) {
		m := lddLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil:
		case m[3] != "":
			missing = append(missing, m[3])
		case strings.HasPrefix(m[2], "/"):
			loaded = append(loaded, path.Clean(m[2]))
		case strings.HasPrefix(m[1], "/"):
			loaded = append(loaded, path.Clean(m[1]))
		}
	}
	slices.Sort(loaded)
	slices.Sort(missing)
	return slices.Compact(loaded), slices.Compact(missing)
}
