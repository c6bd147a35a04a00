package diff

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// at returns an address by a digest of one digit.
func at(name, digit string) asset.Ref {
	return asset.Ref(name + "@sha256:" + strings.Repeat(digit, 64))
}

// What a service runs, its command, and how it was tested are compared as an IOC's image
// and values are.
func TestServices(t *testing.T) {
	const values = "beamlines/bl/iocs/bl-a/values.yaml"
	service := func(text string) map[string]string {
		return map[string]string{values: "service: a gateway\n" + text, "beamlines/bl/iocs/bl-a/config/st.cmd": ""}
	}
	web := func(digit string) string { return "image: " + string(at("h/web:1", digit)) + "\n" }
	const boot = "boot: {command: [check]}\n"
	for name, c := range map[string]struct {
		from, to string // of values.yaml of a service; an IOC where it is empty
		want     Instance
	}{
		"another digest": {
			web("7") + boot, web("8") + boot,
			Instance{Image: &Change{"h/web", string(at("h/web:1", "7")), string(at("h/web:1", "8"))}},
		},
		"another command": {
			web("7") + boot + "command: [serve]\n", web("7") + boot + "command: [serve, -v]\n",
			Instance{Values: []Change{{"command", `["serve"]`, `["serve","-v"]`}}},
		},
		"no command": {
			web("7") + boot + "command: [serve]\n", web("7") + boot,
			Instance{Values: []Change{{"command", `["serve"]`, ""}}},
		},
		"no test": {
			web("7") + boot, web("7") + "boot: {none: no database}\n",
			Instance{Values: []Change{{"boot.command", `["check"]`, ""}, {"boot.none", "", "no database"}}},
		},
		"from an IOC": {
			"", web("7") + boot,
			Instance{
				Image:  &Change{"h/web", "ioc 1.0.0", string(at("h/web:1", "7"))},
				Values: []Change{{"boot.command", "", `["check"]`}, {"probePV", "A", ""}},
				Files:  []File{{"st.cmd", Disappears, nil}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			edits := map[string]string{}
			if c.from != "" {
				edits = service(c.from)
			}
			from, to := Release{beamlineRecord("1.0.0"), files1(edits), nil},
				Release{beamlineRecord("1.1.0"), files1(service(c.to)), nil}
			to.Record.Instances = []record.Instance{
				{Name: "bl-a", Service: "a gateway", NotBooted: "no database"}, {Name: "bl-b"},
			}
			d, err := New(from, to)
			require.NoError(t, err)
			c.want.Name, c.want.State, c.want.Boot = "bl-a", Changes, "not booted: no database"
			require.Equal(t, []Instance{c.want}, d.Instances)
		})
	}
}

// A service appears and disappears with what it runs, and one with a chart of its own
// with nothing: that says it.
func TestServicesThatComeAndGo(t *testing.T) {
	bare, with := files1(nil), files1(map[string]string{
		"beamlines/bl/iocs/bl-web/values.yaml": "service: a gateway\nimage: " + string(at("h/web:1", "7")) +
			"\nboot: {command: [check]}\n",
		"beamlines/bl/iocs/bl-x/values.yaml":      "service: an archiver\n",
		"beamlines/bl/iocs/bl-x/Chart.yaml":       "description: x\n",
		"beamlines/bl/iocs/bl-x/templates/x.yaml": "a: 1\n",
	})
	rec := beamlineRecord("1.1.0", record.Test{Name: record.ServiceTest, Of: "bl-web", Passed: true})
	rec.Instances = []record.Instance{{Name: "bl-web", Service: "a gateway"}, {Name: "bl-x", Service: "an archiver"}}
	d, err := New(Release{beamlineRecord("1.0.0"), bare, nil}, Release{rec, with, nil})
	require.NoError(t, err)
	image := string(at("h/web:1", "7"))
	require.Equal(t, []Instance{
		{Name: "bl-web", State: Appears, Image: &Change{"h/web", "", image}, Boot: "its boot command passed"},
		{Name: "bl-x", State: Appears, Boot: "not booted, and its values do not say why"},
	}, d.Instances)
	d, err = New(Release{rec, with, nil}, Release{beamlineRecord("1.2.0"), bare, nil})
	require.NoError(t, err)
	require.Equal(t, []Instance{
		{Name: "bl-web", State: Disappears, Image: &Change{"h/web", image, ""}}, {Name: "bl-x", State: Disappears},
	}, d.Instances)
}

// What the records say of the beamline itself, and of what it is built on.
func TestWhatRecordsSay(t *testing.T) {
	from, to := beamlineRecord("1.0.0"), beamlineRecord("1.1.0")
	from.Gate = record.Policy{Approvers: []string{"b", "a"}}
	to.Gate = record.Policy{Approvers: []string{"a", "b"}, Environment: "bl"}
	to.Namespace = "p45"
	from.Parents.Root, to.Parents.Root = at("h/debian:trixie", "1"), at("h/debian:trixie", "2")
	to.Parents.Releases = append(to.Parents.Releases, record.Parent{
		Asset: "ioc-b", Version: assettest.Version("2.0"), Digest: "sha256:bb",
	})
	d, err := New(Release{from, files1(nil), nil}, Release{to, files1(nil), nil})
	require.NoError(t, err)
	require.Equal(t, []Change{{"environment", "", "bl"}, {"namespace", "bl", "p45"}}, d.Beamline,
		"the order of the approvers is nobody's")
	require.Equal(t, []Change{
		{"h/debian", "trixie " + string(from.Parents.Root.Digest()), "trixie " + string(to.Parents.Root.Digest())},
		{"ioc-b", "", "2.0 sha256:bb"},
	}, d.Parents)
	require.False(t, d.Same())
	require.Equal(t, asset.Beamline, d.Kind)
}

// A library chart is compared by its own folder, an image by its own; a link is no file.
func TestFoldersByKind(t *testing.T) {
	for kind, folder := range map[asset.Kind]string{asset.Library: "charts/x", asset.Image: "generic-iocs/x"} {
		release := func(version, text string) Release {
			return Release{&record.Record{Kind: kind, Asset: "x", Version: assettest.Version(version)}, fstest.MapFS{
				folder + "/a/b.tpl":           {Data: []byte(text)},
				folder + "-more/c":            {Data: []byte(text)},
				"charts/ioc-lib/c":            {Data: []byte(text)},
				"generic-iocs/support/c.yaml": {Data: []byte(text)},
			}, nil}
		}
		d, err := New(release("1.0.0", "a\n"), release("1.1.0", "b\n"))
		require.NoError(t, err)
		require.Equal(t, []File{{folder + "/a/b.tpl", Changes, []string{"-a", "+b"}}}, d.Files)
		require.Empty(t, d.Beamline)
	}
}

// Releases of different assets, and of one name with two kinds, are not compared.
func TestRefusesInWords(t *testing.T) {
	image := &record.Record{Kind: asset.Image, Asset: "bl", Version: assettest.Version("2.0")}
	_, err := New(Release{beamlineRecord("1.0.0"), files1(nil), nil}, Release{image, files1(nil), nil})
	require.EqualError(t, err, "bl 1.0.0 (beamline) and bl 2.0 (image) are releases of different assets; "+
		"name two releases of one asset")
	other := beamlineRecord("1.0.0")
	other.Asset = "bl2"
	_, err = New(Release{beamlineRecord("1.0.0"), files1(nil), nil}, Release{other, files1(nil), nil})
	require.EqualError(t, err, "bl 1.0.0 (beamline) and bl2 1.0.0 (beamline) are releases of different assets; "+
		"name two releases of one asset")
	broken := files1(map[string]string{"beamlines/bl/beamline.yaml": "namespace: Bl\n"})
	_, err = New(Release{beamlineRecord("1.0.0"), files1(nil), nil}, Release{beamlineRecord("1.1.0"), broken, nil})
	require.ErrorContains(t, err, "reading the tree of bl 1.1.0: beamlines/bl/beamline.yaml:1: namespace: ")
}
