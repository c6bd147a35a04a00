package smoke

import (
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

// own is the source of this room: what boots, asks and judges. ioc-run and ioc-ask
// are in the image that is tested.
//
//go:embed *.go *.sh *.pl
var own embed.FS

// tester is the digest of what tests: this room and the one that judges a start. An
// edit of them, be it of a comment, ends all evidence. Nobody has to remember a
// number, and to boot once too often harms nobody.
var tester = sync.OnceValue(func() asset.Digest { return sourcesOf(own, startup.Source) })

// sourcesOf returns the digest of the files of rooms, without their tests.
func sourcesOf(rooms ...fs.FS) asset.Digest {
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

// Inputs returns the digest of all that the result of Run depends on: the subject,
// whose image is named by its digest, its config, and the tester. It is empty where
// that is not known: for an image that is in no registry, and beside simulators,
// whose files only the engine knows.
func (s Subject) Inputs() asset.Digest { return s.inputs(tester()) }

// inputs returns the digest of the subject under a tester. All fields count, also
// those that are added one day; what is left out here is what Digest and Config
// stand for.
func (s Subject) inputs(by asset.Digest) asset.Digest {
	if s.Digest == "" || len(s.Beside) > 0 {
		return ""
	}
	config := sums(s.Config)
	s.Runtime, s.Clients, s.Own, s.Config = nil, nil, nil, nil
	return sum(s, config, by)
}

// sums returns the digests of files.
func sums(files map[string][]byte) map[string]string {
	all := map[string]string{}
	for file, content := range files {
		all[file] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return all
}

// sum returns the digest of a subject, its config and a tester.
func sum(subject any, config map[string]string, by asset.Digest) asset.Digest {
	text, err := json.Marshal(struct {
		Subject any
		Config  map[string]string
		Tester  asset.Digest
	}{subject, config, by})
	if err != nil {
		return "" // a limit that is no number: it is booted
	}
	return asset.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(text)))
}
