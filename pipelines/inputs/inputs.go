// Package inputs names by one digest all that a result depends on, so that a later
// release which depends on the same takes the result.
package inputs

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Of returns the digest of values as JSON has them, so that all exported fields count,
// also those that are added one day. It is empty, which is no digest, for a value that
// JSON can't have, such as a limit that is no number.
func Of(values ...any) asset.Digest {
	text, err := json.Marshal(values)
	if err != nil {
		return ""
	}
	return digest(text)
}

// Files returns the digests of files by name.
func Files(files map[string][]byte) map[string]asset.Digest {
	all := map[string]asset.Digest{}
	for name, content := range files {
		all[name] = digest(content)
	}
	return all
}

func digest(text []byte) asset.Digest {
	return asset.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(text)))
}

// Rooms returns the digest of the source of rooms, without their tests: of what makes
// a result. An edit of it, be it of a comment, ends all that was known. Nobody has to
// remember a number, and to do work once too often harms nobody.
func Rooms(rooms ...fs.FS) asset.Digest {
	sum := sha256.New()
	for _, room := range rooms {
		files, err := fs.ReadDir(room, ".")
		if err != nil {
			panic(err) // it is in the program
		}
		for _, file := range files {
			text, err := fs.ReadFile(room, file.Name())
			if err != nil {
				panic(err)
			}
			if !strings.HasSuffix(file.Name(), "_test.go") {
				fmt.Fprintf(sum, "%s %d\n%s", file.Name(), len(text), text)
			}
		}
	}
	return asset.Digest(fmt.Sprintf("sha256:%x", sum.Sum(nil)))
}
