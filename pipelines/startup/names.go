package startup

import (
	"maps"
	"slices"
	"strings"
)

// Names returns the file and the line of a config folder that write most of a PV's
// name from its beginning: the record itself, or the macro that its name begins with.
// Where no line does, it is the start-up script, and line is 0.
func Names(files map[string][]byte, pv string) (file string, line int) {
	const least = 3 // letters, of which fewer are no name
	file, most := Script, least-1
	for _, name := range slices.Sorted(maps.Keys(files)) {
		number := 0
		for text := range strings.Lines(string(files[name])) {
			number++
			for most < len(pv) && strings.Contains(text, pv[:most+1]) {
				most++
				file, line = name, number
			}
		}
	}
	return file, line
}
