package debian

import (
	"regexp"
	"strings"
)

// MissingError says which packages Debian does not have.
type MissingError struct {
	Packages []string
}

// Error returns the sentence that names them all.
func (e *MissingError) Error() string {
	return "Debian has no package " + strings.Join(e.Packages, ", ")
}

var missingPackage = regexp.MustCompile(
	`(?m)^E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate)`)

// readMissing returns the packages that apt says there are none of.
func readMissing(stderr string) []string {
	var names []string
	for _, m := range missingPackage.FindAllStringSubmatch(stderr, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}
