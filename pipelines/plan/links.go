package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// linked holds the links of a tree by where they point to, both from the root.
type linked map[string][]string

// maxHops is how many links one path may go through, as when it is read.
const maxHops = 8

// links finds all links in the folders of assets. Those that leave the tree
// are refused when they are read, and left out here.
func links(fsys fs.FS) (linked, error) {
	l := linked{}
	for _, root := range []string{recipe.Dir, charts, beamline.Dir} {
		err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && name == root {
				return fs.SkipDir
			}
			if err != nil || d.Type()&fs.ModeSymlink == 0 {
				return err
			}
			to, err := fs.ReadLink(fsys, name)
			if target := path.Join(path.Dir(name), to); err == nil && !path.IsAbs(to) && fs.ValidPath(target) {
				l[target] = append(l[target], name)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for links in %s: %w", root, err)
		}
	}
	return l, nil
}

// through adds to changed paths the names that links have for them.
func (l linked) through(changed []string) []string {
	if len(l) == 0 {
		return changed
	}
	hops := map[string]int{}
	for _, p := range changed {
		hops[p] = 0
	}
	all := changed[:len(changed):len(changed)]
	for i := 0; i < len(all); i++ {
		p := all[i]
		if hops[p] == maxHops {
			continue
		}
		for target := p; target != "."; target = path.Dir(target) {
			for _, link := range l[target] {
				name := link + strings.TrimPrefix(p, target)
				if _, seen := hops[name]; !seen {
					hops[name] = hops[p] + 1
					all = append(all, name)
				}
			}
		}
	}
	return all
}
