// Package page rewrites the part of a page that a program measured.
package page

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Rewrite replaces what stands between the marks of that name on a page (a
// path): "<!-- bench: begin -->" and "<!-- bench: end -->", each on a line. What
// people wrote around it stays.
func Rewrite(path, name, text string) error {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table: %s…%s", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}

// Machine names what figures were measured on: "2 × Intel(R) Xeon(R) …".
func Machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%d × %s", runtime.NumCPU(), model)
}
