package plan

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

const (
	nginx     = "docker.io/library/nginx:1"
	postgres  = "docker.io/library/postgres:17"
	imageLock = "beamlines/bl/beamline.lock.yaml"
)

// atDigest is an image at a digest of one digit.
func atDigest(image, digit string) string { return image + "@sha256:" + strings.Repeat(digit, 64) }

// locks is the text of a lock of the two images.
func locks(web, db string) string {
	return "images:\n  " + nginx + ": " + atDigest(nginx, web) + "\n" +
		"  " + postgres + ": " + atDigest(postgres, db) + "\n"
}

// withServices is beamline bl with a service that a command tests, and one that nothing does.
func withServices(lock string) map[string]string {
	return map[string]string{
		imageLock:                              lock,
		"beamlines/bl/iocs/bl-web/values.yaml": "service: a page\nimage: " + nginx + "\nboot: {command: [nginx, -t]}\n",
		"beamlines/bl/iocs/bl-db/values.yaml":  "service: data\nimage: " + postgres + "\nboot: {none: it is empty}\n",
	}
}

// between compares two sites that are the small one with files over it.
func between(was, is map[string]string, changed ...string) (*Changes, error) {
	from, _ := edited(was)
	to, _ := edited(is)
	return Since(Tree{Commit: "a", Files: from}, Tree{Commit: "b", Files: to}, changed)
}

// A lock selects the services whose image has another digest than before, and no others;
// where the older tree could not be read, all of them.
func TestSinceALockOfServices(t *testing.T) {
	broken := withServices(locks("1", "2"))
	broken["beamlines/bl/beamline.yaml"] = "namespaces: bl\n"
	for name, c := range map[string]struct {
		was, is map[string]string
		want    string
	}{
		"one has moved":       {withServices(locks("1", "2")), withServices(locks("3", "2")), "bl:bl-web"},
		"a comment":           {withServices(locks("1", "2")), withServices("# x\n" + locks("1", "2")), ""},
		"what was unreadable": {broken, withServices(locks("1", "2")), "bl:bl-db,bl-web"},
	} {
		got, err := between(c.was, c.is, imageLock)
		require.NoError(t, err, name)
		require.Equal(t, c.want, strings.Join(brief(got), " "), name)
		if c.want == "bl:bl-web" {
			require.Equal(t, []string{imageLock + ": " + atDigest(nginx, "3")}, got.Assets[0].Instances[0].Why)
		}
	}
}

// The plan of a beamline tests IOCs, and services that have a command for it; a chart of
// its own is named by its files.
func TestThePlanOfServices(t *testing.T) {
	files := withServices(locks("1", "2"))
	maps.Copy(files, map[string]string{
		"beamlines/bl/iocs/bl-gw/values.yaml":           "service: a gateway\n",
		"beamlines/bl/iocs/bl-gw/config/gw.conf":        "{}\n",
		"beamlines/bl/iocs/bl-gw/Chart.yaml":            "description: a gateway\n",
		"beamlines/bl/iocs/bl-gw/templates/deploy.yaml": "kind: Deployment\n",
	})
	tree, _ := edited(files)
	p, err := New(tree, commit, "bl/2026.11.1")
	require.NoError(t, err)
	var tests, charts, pushed []string
	for _, s := range p.Steps {
		switch s.Do {
		case Test:
			tests = append(tests, s.What+": "+s.Why)
		case Package:
			charts = append(charts, s.What+": "+s.Why)
		case Publish:
			pushed = append(pushed, s.What)
		}
	}
	const folder = "beamlines/bl/iocs/"
	require.Equal(t, []string{
		"IOC bl-a: " + folder + "bl-a/values.yaml: image ioc 1.0.0",
		"IOC bl-ab: " + folder + "bl-ab/values.yaml: image ioc 1.0.0",
		"service bl-web: " + folder + "bl-web/values.yaml: nginx -t in " + atDigest(nginx, "1"),
	}, tests)
	require.Equal(t, []string{
		"chart bl-a: " + folder + "bl-a with charts/ioc-lib", "chart bl-ab: " + folder + "bl-ab with charts/ioc-lib",
		"chart bl-db: " + folder + "bl-db with charts/ioc-lib",
		"chart bl-gw: " + folder + "bl-gw with charts/ioc-lib and Chart.yaml, templates/deploy.yaml",
		"chart bl-web: " + folder + "bl-web with charts/ioc-lib",
	}, charts)
	require.Equal(t, []string{
		"chart bl-a", "chart bl-ab", "chart bl-db", "chart bl-gw", "chart bl-web", "record bl/2026.11.1",
	}, pushed, "the record is the last")
	require.EqualValues(t, atDigest(nginx, "1"), p.Beamline.Instances[4].Runs)
	require.Empty(t, p.Beamline.Instances[3].Runs, "its own chart says it")
}

func TestThePlanOfAnImageWithoutAnIOC(t *testing.T) {
	tree, _ := edited(nil)
	p, err := New(tree, commit, "epics-modules/4.45.1")
	require.NoError(t, err)
	const file = "generic-iocs/epics-modules/image.yaml"
	require.Equal(t, []Step{
		{Build, "support module asyn", file + ":3: asyn at R4-45"},
		{Build, "image epics-modules-developer", file + ": from epics-base 7.0.8.1r1.0"},
		{Build, "image epics-modules-runtime", file + ": from epics-base 7.0.8.1r1.0"},
		{Test, "clients of epics-modules-runtime", file + ": it has no IOC"},
		{Publish, "image epics-modules-developer", "tag epics-modules/4.45.1"},
		{Publish, "image epics-modules-runtime", "tag epics-modules/4.45.1"},
		{Publish, "record epics-modules/4.45.1", "tag epics-modules/4.45.1: last, since a release exists when its " +
			"record does"},
	}, p.Steps)
}

// Reasons name where a module is asked for, also through another; files that changed are
// named up to a few, and an instance that is new says so by its own files alone.
func TestWhySinceSelects(t *testing.T) {
	const asyn = "generic-iocs/support/asyn.yaml"
	without := map[string]string{
		"generic-iocs/epics-modules/image.yaml": "from: epics-base 7.0.8.1r1.0\nmodules: {}\n",
		"generic-iocs/ioc-pmac/image.yaml":      "from: epics-modules 4.45r1.0\nmodules: {asyn: R4-45, motor: R7-3}\n",
		"generic-iocs/ioc/image.yaml": "from: epics-modules 4.45r1.0\nmodules:\n  motor: R7-3\n  asyn: R4-45\n" +
			"ioc: {modules: [motor]}\nsmoke: {config: smoke, checks: [{pv: A, value: \"1\"}]}\n",
	}
	got, err := between(without, without, asyn)
	require.NoError(t, err)
	require.Equal(t, "ioc@0 ioc-pmac@0", strings.Join(brief(got), " "))
	require.Equal(t, []string{asyn + " changed, and generic-iocs/ioc/image.yaml:4 builds it"}, got.Assets[0].Why)

	const st = "beamlines/bl/iocs/bl-a/config/"
	many := []string{st + "a", st + "b", st + "c", st + "d"}
	got, err = between(nil, nil, many...)
	require.NoError(t, err)
	require.Equal(t, []string{
		st + "a changed", st + "b changed", st + "c changed", st + "d changed",
	}, got.Assets[0].Instances[0].Why, "one more is no reason to leave one out")
	got, err = between(nil, nil, append(many, st+"e")...)
	require.NoError(t, err)
	require.Equal(t, []string{
		st + "a changed", st + "b changed", st + "c changed", "and 2 more files",
	}, got.Assets[0].Instances[0].Why)

	more := map[string]string{
		"beamlines/bl/beamline.yaml":             "namespace: bl\nvalues: {uid: 1000, gid: 1000, memory: 512Mi}\n",
		"beamlines/bl/iocs/bl-new/values.yaml":   "image: ioc 1.0.0\nprobePV: N\n",
		"beamlines/bl/iocs/bl-new/config/st.cmd": script,
	}
	got, err = between(nil, more, "beamlines/bl/beamline.yaml", "beamlines/bl/iocs/bl-new/values.yaml")
	require.NoError(t, err)
	require.Equal(t, "bl:bl-a,bl-new", strings.Join(brief(got), " "))
	require.Equal(t, []string{"beamlines/bl/iocs/bl-new/values.yaml changed"}, got.Assets[0].Instances[1].Why)
}

// A fault of what the change affects stops the plan: it would select too little.
func TestSinceRefusesWhatItMustRead(t *testing.T) {
	for name, c := range map[string]struct {
		is   map[string]string
		says string
	}{
		"shared values": {
			map[string]string{"beamlines/bl/beamline.yaml": "namespaces: bl\n"}, "beamlines/bl/beamline.yaml:1",
		},
		"no instances": {
			map[string]string{
				"beamlines/bl0/iocs/bl0-a/values.yaml": gone, "beamlines/bl0/iocs/bl0-a/config/st.cmd": gone,
			},
			"beamlines/bl0/iocs: beamline bl0 has no IOC instances; add a folder",
		},
		"a lock of nothing": {withServices("images: {}\n"), imageLock},
		"two assets of one name": {
			map[string]string{"charts/bl/Chart.yaml": "name: bl\n"}, "beamlines/bl: charts/bl is an asset of this name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var changed []string
			for file := range c.is {
				changed = append(changed, file)
			}
			got, err := between(nil, c.is, append(changed, "beamlines/bl0/beamline.yaml")...)
			require.Nil(t, got)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
		})
	}
}

// Reasons are named once each, and the first few of them.
func TestReasonsAreFew(t *testing.T) {
	for want, why := range map[string][]string{
		"":                    nil,
		"a; b; c":             {"a", "b", "a", "c", "c"},
		"a; b; c; and 1 more": {"a", "b", "c", "d"},
	} {
		require.Equal(t, want, joined(why))
	}
}

// A release is planned of files without a fault; a file beside the instances is none.
func TestNewRefusesFaults(t *testing.T) {
	for file, c := range map[string]struct{ text, tag string }{
		"generic-iocs/ioc/image.yaml":        {"form: epics-base 7.0.8.1r1.0\n", "ioc/1.0.0"},
		"generic-iocs/plain/image.yaml":      {"form: epics-base 7.0.8.1r1.0\n", "ioc/1.0.0"},
		"beamlines/bl/beamline.yaml":         {"namespaces: bl\n", "bl/2026.11.1"},
		"beamlines/bl/iocs/bl-a/values.yaml": {"images: ioc 1.0.0\n", "bl/2026.11.1"},
	} {
		tree, _ := edited(map[string]string{file: c.text})
		p, err := New(tree, commit, c.tag)
		require.Nil(t, p)
		require.ErrorContains(t, err, file+":1", file)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	beside := map[string]string{"beamlines/bl/iocs/README": "x"}
	got, err := between(beside, beside, "charts/ioc-lib/Chart.yaml")
	require.NoError(t, err)
	require.Equal(t, "bl:bl-a,bl-ab bl0:bl0-a ioc-lib", strings.Join(brief(got), " "))
}
