package smoke

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"dagger.io/dagger"
)

// mostInBatch is how many IOCs are booted in one container. To set a container up
// takes the engine longer than an IOC takes to boot, and what a batch shows is seen
// when its last IOC has stopped.
const mostInBatch = 16

// Batches returns the places of IOCs that one container can boot together: those of
// one image, as far as they have an autosave volume all or not at all, and none that
// has simulators.
func Batches(subjects []Subject) [][]int {
	type kind struct {
		image *dagger.Container
		keeps bool
	}
	var all [][]int
	open := map[kind]int{} // which of them still has room
	for i, s := range subjects {
		k := kind{s.Runtime, s.keeps()}
		if n, ok := open[k]; ok && len(s.Beside) == 0 && len(all[n]) < mostInBatch {
			all[n] = append(all[n], i)
			continue
		}
		if len(s.Beside) == 0 {
			open[k] = len(all)
		}
		all = append(all, []int{i})
	}
	return all
}

// Names returns the names of what is started together as people read them: the one, or
// the first and the last with their number.
func Names(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return fmt.Sprintf("%s to %s, %d IOCs", names[0], names[len(names)-1], len(names))
}

// Named is Names for a batch.
func Named(batch []Subject) string {
	names := make([]string, len(batch))
	for i, s := range batch {
		names[i] = s.Name
	}
	return Names(names)
}

// archive returns the files that boots.sh reads for a batch: a tar archive in base64.
// One file, as each costs the engine a layer.
func archive(batch []Subject) (string, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, s := range batch {
		files := s.files()
		for _, name := range sortedKeys(files) {
			content := files[name]
			err := w.WriteHeader(&tar.Header{
				Name: path.Join(s.Name, name), Mode: 0o644, Size: int64(len(content)), Format: tar.FormatPAX,
			})
			if err != nil {
				return "", err
			}
			if _, err := w.Write(content); err != nil {
				return "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}

// files returns the files of an IOC for boots.sh and boot.sh.
func (s Subject) files() map[string][]byte {
	environment := s.environment()
	environment["RUN_AS"], environment["BOOTS"] = s.User, strconv.Itoa(s.boots())
	var variables strings.Builder
	for _, name := range sortedKeys(environment) {
		fmt.Fprintf(&variables, "%s=%s\x00", name, environment[name])
	}
	files := map[string][]byte{"environment": []byte(variables.String())}
	for n := 1; n <= s.boots(); n++ {
		files[fmt.Sprintf("checks.%d", n)] = []byte(questions(s.checks(n)))
	}
	if s.Own == nil {
		for name, content := range s.Config {
			files["config/"+name] = content
		}
	}
	return files
}

// readOutputs reads what boots.sh printed: what boot.sh did, by IOC, and when.
func readOutputs(out string) (all map[string]string, ran time.Time, err error) {
	all = map[string]string{}
	for line := range strings.Lines(out) {
		name, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "@ran" {
			seconds, err := strconv.ParseInt(encoded, 10, 64)
			if err != nil {
				return nil, ran, fmt.Errorf("reading when boots.sh ran: %w", err)
			}
			ran = time.Unix(seconds, 0)
			continue
		}
		printed, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, ran, fmt.Errorf("reading what boots.sh printed of %s: %w", name, err)
		}
		all[name] = string(printed)
	}
	return all, ran, nil
}
