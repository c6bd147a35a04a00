package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/tree"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// newTag is `tagline tag`: what can be known of tags before they are pushed.
func newTag(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tag",
		Short:   "Check, sort and propose git tags",
		Long:    "A git tag is <asset>/<version>, and what is released under it is what a beamline\nruns for years. These commands read tags and touch nothing.",
		Example: "  tagline tag check bl01t/2026.11.2\n  tagline tag next bl01t\n  tagline tag hook install",
	}
	cmd.AddCommand(newTagCheck(a), newTagSort(a), newTagNext(a), newTagHook(a))
	return cmd
}

// kinds are the kinds of asset as people write them.
var kinds = map[string]record.Kind{"": "", "image": record.Image, "chart": record.Library, "beamline": record.Beamline}

// tagLine is what is known of one tag.
type tagLine struct {
	Tag     string `json:"tag"`
	OK      bool   `json:"ok"`
	Asset   string `json:"asset,omitempty"`
	Version string `json:"version,omitempty"`
	*version.Checked
	Error string `json:"error,omitempty"` // of a tag that is refused
	Fix   string `json:"fix,omitempty"`   // what to do about it
}

// newTagCheck is `tagline tag check`.
func newTagCheck(a *app) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:     "check [TAG…|-]",
		Short:   "Tell which tags could be released, and mend those that could not",
		Long:    "Shows a line for each tag: ok, asset, version, OCI tag, chart version. Tags that are\nrefused are on stderr, with what to tag instead, and the exit status is 2. - reads\ntags from stdin, a line each; without tags all of the repository are checked. Assets\nare those of the tree at the tag, or at HEAD for a tag that doesn't exist yet.",
		Example: "  tagline tag check bl01t/2026.11.2\n  tagline tag check --kind beamline 2026.11.02\n  git tag --list 'bl01t/*' | tagline tag check -",
		RunE: func(cmd *cobra.Command, given []string) error {
			k, ok := kinds[kind]
			if !ok {
				return usage(cmd, fmt.Errorf("--kind is image, chart or beamline, not %q", kind))
			}
			t, err := a.openTags(given)
			if err != nil {
				return err
			}
			lines := make([]tagLine, len(t.names))
			faults := make([]error, len(t.names))
			for i, name := range t.names {
				lines[i], faults[i] = t.check(name, k)
			}
			err = a.print(lines, func(w io.Writer) error { return writeTagLines(w, lines) })
			return errors.Join(append(faults, err)...)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "kind of asset that a bare version is of: image, chart or beamline")
	return cmd
}

func writeTagLines(w io.Writer, lines []tagLine) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	for _, l := range lines {
		if l.OK {
			fmt.Fprintf(t, "ok\t%s\t%s\t%s\t%s\n", or(l.Asset), l.Version, l.OCI, or(l.Chart))
		}
	}
	return t.Flush()
}

// newTagSort is `tagline tag sort`.
func newTagSort(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "sort [TAG…|-]",
		Short:   "Order tags, oldest version first",
		Long:    "Orders tags or bare versions as the field means them, asset by asset. Where an\nasset changed its scheme of versions, the repository's history must say which came\nfirst. - reads from stdin, a line each; without tags all of the repository are ordered.",
		Example: "  git tag --list 'ioc-pmac/*' | tagline tag sort -",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.openTags(given)
			if err != nil {
				return err
			}
			sorted, err := t.sorted()
			if e := a.print(sorted, func(w io.Writer) error { return writeLines(w, sorted) }); e != nil {
				return e
			}
			return err
		},
	}
}

// newTagNext is `tagline tag next`.
func newTagNext(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "next ASSET",
		Short:   "Propose the next tag of an asset",
		Long:    "Proposes the tag that follows those in the repository: today's date where calendar\nversions are used, the release of the newest pre-release, else one more than the\nlatest. It makes no tag.",
		Example: "  git tag $(tagline tag next bl01t)",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.openTags(nil)
			if err != nil {
				return err
			}
			next, err := t.next(given[0], time.Now())
			if err != nil {
				return err
			}
			return a.print(next, func(w io.Writer) error { return writeLines(w, []string{next}) })
		},
	}
}

func writeLines(w io.Writer, lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}

// tags are those that a command was given, with the repository they are in.
type tags struct {
	names  []string
	repo   *tree.Repository // nil when there is none and none is needed
	assets map[string]map[string]record.Kind
}

// openTags gives the named tags, those on stdin for -, all of the repository
// for none. Those that are given need no repository.
func (a *app) openTags(given []string) (*tags, error) {
	t := &tags{assets: map[string]map[string]record.Kind{}}
	repo, err := tree.Open(a.repo)
	if err != nil && len(given) == 0 {
		return nil, err
	}
	if err == nil {
		t.repo = repo
	}
	switch {
	case len(given) == 0:
		t.names, err = repo.Tags()
	case len(given) == 1 && given[0] == "-":
		t.names, err = lines(a.In)
	default:
		t.names, err = given, nil
	}
	for i, n := range t.names {
		t.names[i] = strings.TrimPrefix(n, "refs/tags/")
	}
	return t, err
}

// lines reads all lines that are not empty.
func lines(r io.Reader) (list []string, err error) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if l := strings.TrimSpace(s.Text()); l != "" {
			list = append(list, l)
		}
	}
	return list, s.Err()
}

// of gives the assets of the tree at a tag, at HEAD when there is no such tag;
// nil without a repository or a commit.
func (t *tags) of(tag string) (map[string]record.Kind, error) {
	if t.repo == nil {
		return nil, nil
	}
	rev, err := t.repo.Resolve("refs/tags/" + tag)
	if err != nil {
		if rev, err = t.repo.Head(); err != nil {
			return nil, nil // nothing was committed yet
		}
	}
	if known, ok := t.assets[rev]; ok {
		return known, nil
	}
	files, err := t.repo.At(rev)
	if err != nil {
		return nil, err
	}
	t.assets[rev], err = plan.Assets(files)
	return t.assets[rev], err
}

// check looks at one tag.
func (t *tags) check(name string, kind record.Kind) (tagLine, error) {
	assets, err := t.of(name)
	if err == nil {
		var c version.Checked
		if c, err = version.CheckTag(name, kind, assets); err == nil {
			return tagLine{Tag: name, OK: true, Asset: c.Tag.Asset, Version: c.Tag.Version.String(), Checked: &c}, nil
		}
	}
	line := tagLine{Tag: name, Error: err.Error()}
	var d *diag.Error
	if errors.As(err, &d) {
		line.Error, line.Fix = d.Err.Error(), d.Fix
	}
	return line, err
}

// dated gives a version with the time of its tag's commit, if there is one.
func (t *tags) dated(name string, v version.Version) version.Dated {
	d := version.Dated{Version: v}
	if t.repo != nil {
		if tag, err := t.repo.Tag(name); err == nil {
			d.When = tag.When
		}
	}
	return d
}

// sorted gives the tags in order, and a fault for each that is none and for
// each asset whose versions have no order.
func (t *tags) sorted() ([]string, error) {
	prefixes := []string{}
	by := map[string][]version.Dated{}
	var faults []error
	for _, name := range t.names {
		i := strings.LastIndex(name, "/") + 1
		v, err := version.Parse(name[i:])
		if err == nil && i > 0 {
			_, err = version.ParseTag(name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if _, ok := by[name[:i]]; !ok {
			prefixes = append(prefixes, name[:i])
		}
		by[name[:i]] = append(by[name[:i]], t.dated(name, v))
	}
	slices.Sort(prefixes)
	sorted := []string{}
	for _, prefix := range prefixes {
		if err := version.Sort(by[prefix]); err != nil {
			faults = append(faults, err)
			continue
		}
		for _, d := range by[prefix] {
			sorted = append(sorted, prefix+d.Version.String())
		}
	}
	return sorted, errors.Join(faults...)
}

// next proposes an asset's next tag: bare where its tags are so already.
func (t *tags) next(asset string, now time.Time) (string, error) {
	assets, err := t.of("")
	if err != nil {
		return "", err
	}
	kind, ok := assets[asset]
	if !ok {
		_, err := version.CheckTag(asset+"/1.0.0", "", assets)
		return "", err
	}
	var list []version.Dated
	bare := false
	for _, name := range t.names {
		rest, ours := strings.CutPrefix(name, asset+"/")
		if !ours && (len(assets) != 1 || strings.Contains(name, "/")) {
			continue
		}
		if v, err := version.Parse(rest); err == nil {
			list = append(list, t.dated(name, v))
			bare = bare || !ours
		}
	}
	v, err := version.Next(list, kind, now)
	if err != nil || bare {
		return v.String(), err
	}
	return version.Tag{Asset: asset, Version: v}.String(), nil
}
