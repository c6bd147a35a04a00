package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
)

var sum = "sha256:" + strings.Repeat("0123456789abcdef", 4)

// beamline are the notes of a beamline in which everything changes.
func beamline() *notes {
	return &notes{
		address: asset.Ref("registry.example.org/site/records/bl01t@" + sum), before: assettest.Version("2026.11.1"),
		rec: &record.Record{
			Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("2026.11.2"),
			Artifacts: []record.Artifact{{
				Name: "charts/bl01t-mo-ioc-01", Type: "chart",
				Ref: "registry.example.org/site/charts/bl01t-mo-ioc-01:2026.11.2", Digest: asset.Digest(sum),
			}},
			Checks: []record.Test{{Of: "bl01t-mo-ioc-01", PVs: []record.PV{{Name: "A"}, {Name: "B"}}}},
		},
		since: &diff.Diff{
			Asset: "bl01t", Kind: asset.Beamline, From: assettest.Version("2026.11.1"),
			To:       assettest.Version("2026.11.2"),
			Beamline: []diff.Change{{Name: "approvers", New: "octocat, some-org/staff"}},
			Parents:  []diff.Change{{Name: "ioc-simstage", Old: "1.0.0 " + sum, New: "1.1.0 " + sum}},
			Instances: []diff.Instance{
				{
					Name:   "bl01t-mo-ioc-01",
					State:  diff.Changes,
					Image:  &diff.Change{Name: "ioc-simstage", Old: "ioc-simstage 1.0.0", New: "ioc-simstage 1.1.0"},
					Values: []diff.Change{{Name: "memory", Old: "256Mi", New: "512Mi"}, {Name: "env.A`B", Old: "x"}},
					Files: []diff.File{
						{Name: "st.cmd", State: diff.Changes, Lines: []string{"-dbl", "+```", "+@octocat"}},
						{Name: "more.db", State: diff.Appears},
					},
				},
				{
					Name:  "bl01t-mo-ioc-02",
					State: diff.Appears,
					Image: &diff.Change{Name: "ioc-simstage", New: "ioc-simstage 1.1.0"},
				},
			},
			PVs: []diff.PV{
				{Name: "NEW", NewType: "motor", NewIOC: "bl01t-mo-ioc-02"},
				{Name: "MOVED", OldType: "ai", NewType: "ai", OldIOC: "bl01t-mo-ioc-01", NewIOC: "bl01t-mo-ioc-02"},
				{Name: "OTHER", OldType: "ai", NewType: "ao", OldIOC: "bl01t-mo-ioc-01", NewIOC: "bl01t-mo-ioc-01"},
				{Name: "GONE", OldType: "bo", OldIOC: "bl01t-mo-ioc-01"},
			},
			Notes: []diff.Note{{Of: "bl01t-mo-ioc-01", Text: "config/st.cmd: port `L0` not connected"}},
		},
	}
}

func TestNotes(t *testing.T) {
	image := &record.Record{
		Kind: asset.Image, Asset: "ioc-simstage", Version: assettest.Version("1.0.0+b1"),
		Sources: []record.Source{{Module: "asyn", Ref: "R4-45", Commit: commit}},
		Artifacts: []record.Artifact{{
			Name: "ioc-simstage-runtime", Type: "image",
			Ref: "registry.example.org/site/ioc-simstage-runtime:1.0.0_b1", Digest: asset.Digest(sum),
		}},
		Checks: []record.Test{{Of: "ioc-simstage"}},
	}
	library := &record.Record{
		Kind: asset.Library, Asset: "ioc-lib", Version: assettest.Version("1.0.1"),
		Checks: []record.Test{{Of: "ioc-lib"}},
	}
	for file, n := range map[string]*notes{
		"beamline.md": beamline(),
		"image.md":    {rec: image, address: asset.Ref("registry.example.org/site/records/ioc-simstage@" + sum)},
		"library.md": {
			rec: library, address: asset.Ref("registry.example.org/site/records/ioc-lib@" + sum),
			before: assettest.Version("1.0.0"),
			since:  &diff.Diff{Kind: asset.Library, From: assettest.Version("1.0.0")},
		},
		"untold.md": {
			rec: image, address: asset.Ref("registry.example.org/site/records/ioc-simstage@" + sum),
			before:  assettest.Version("0.9.0"),
			unknown: errors.New("generic-iocs/ioc-simstage/image.yaml:1: unknown key \"base\""),
		},
	} {
		golden.Assert(t, n.text(), file)
		require.Equal(t, n.text(), n.text())
	}
	require.Equal(t, "ioc-simstage-1.0.0_b1.record.json", (&notes{rec: image}).file())
}

// TestNotesFit: GitHub refuses notes of more than 125,000 characters.
func TestNotesFit(t *testing.T) {
	n := beamline()
	long := strings.Repeat("é", 500)
	for i := range 3000 {
		inst := n.since.Instances[0]
		inst.Name = fmt.Sprintf("bl01t-mo-ioc-%04d", i)
		inst.Files = []diff.File{
			{Name: "st.cmd", State: diff.Changes, Lines: strings.Split(strings.Repeat("+"+long+" ", 200), " ")},
		}
		n.since.Instances = append(n.since.Instances, inst)
		n.since.PVs = append(n.since.PVs, diff.PV{Name: inst.Name + ":PV", NewType: "ai", NewIOC: inst.Name})
		n.since.Beamline = append(n.since.Beamline, diff.Change{Name: inst.Name, New: "x"})
		n.rec.Artifacts = append(n.rec.Artifacts, n.rec.Artifacts[0])
	}
	text := n.text()
	require.LessOrEqual(t, utf8.RuneCountInString(text), 125_000)
	require.Contains(t, text, "tagline rollback bl01t 2026.11.1")
	require.Contains(t, text, "- and 2804 more, which the attached record names")
	require.True(t, strings.HasSuffix(text, mark+"\n"))
	require.Zero(t, strings.Count(text, "\n```")%2, "a block is open")

	for i := range n.since.Parents {
		n.since.Parents[i].New = strings.Repeat("x", 200_000)
	}
	text = n.text()
	require.LessOrEqual(t, utf8.RuneCountInString(text), 125_000)
	require.True(t, strings.HasSuffix(text, mark+"\n"))
}
