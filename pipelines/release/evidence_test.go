package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// run is what a release of bl01t has booted and said.
type run struct {
	booted []string
	lines  []string
	rec    *record.Record
	err    error
}

// releases commits files, tags and releases bl01t with boots that pass.
func (s *site) releases(version string, files map[string]string) (r run) {
	var mu sync.Mutex
	ctx := step.WithSink(s.t.Context(), func(e step.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Line != "" {
			r.lines = append(r.lines, e.Line)
		}
	})
	s.commit(files, "bl01t/"+version)
	j, err := s.read("bl01t/" + version)
	require.NoError(s.t, err)
	require.NoError(s.t, j.trustSigner(ctx))
	boot := func(ctx context.Context, batch []smoke.Subject) ([]*record.Test, error) {
		tests, err := booted(ctx, batch)
		for i, subject := range batch {
			mu.Lock()
			r.booted = append(r.booted, subject.Name)
			mu.Unlock()
			if more := subject.Env["SERVES"]; more != "" {
				tests[i].PVs = append(tests[i].PVs, record.PV{Name: more, Type: "ai"})
			}
		}
		return tests, err
	}
	r.err = j.release(ctx, (&beamlineJob{job: j, boot: boot}).work())
	slices.Sort(r.booted)
	if r.err == nil {
		r.rec, _, err = s.Registry.Record(s.t.Context(), "bl01t", assettest.Version(version))
		require.NoError(s.t, err)
	}
	return r
}

// from returns which release ran each boot; nothing for this one.
func (r run) from() map[string]string {
	all := map[string]string{}
	for _, t := range r.rec.Checks {
		if t.From != nil {
			all[t.Of] = t.From.Release.String()
		}
	}
	return all
}

// digest returns the digest of bl01t's record at a version.
func (s *site) digest(version string) asset.Digest {
	d, err := s.Registry.RecordDigest(s.t.Context(), "bl01t", assettest.Version(version))
	require.NoError(s.t, err)
	return d
}

const (
	valuesA = "beamlines/bl01t/iocs/bl01t-a/values.yaml"
	configA = "beamlines/bl01t/iocs/bl01t-a/config/"
)

// tested is a site with a signed release 2026.11.1 of bl01t.
func tested(t *testing.T) *site {
	files := line()
	files["beamlines/bl01t/iocs/bl01t-b/config/db/b.db"] = "record(ai, \"B:X\") {}\n" // an image of its own
	s := newSite(t, files)
	s.ioc("ioc-x 1.0.0", asset.Image)
	key := newKey(t)
	s.signed(key)
	s.Signer = key
	first := s.releases("2026.11.1", nil)
	require.NoError(t, first.err)
	require.Equal(t, []string{"bl01t-a", "bl01t-b"}, first.booted)
	require.Empty(t, first.from())
	require.Empty(t, first.lines, "the first release has none before it")
	return s
}

// A volume that shrinks is refused before anything is booted.
func TestAVolumeThatShrinksIsRefused(t *testing.T) {
	s := tested(t)
	const values = "image: ioc-x 1.0.0\nprobePV: A:X\nautosave: "
	require.NoError(t, s.releases("2026.11.2", map[string]string{valuesA: values + "10Mi\n"}).err)
	less := s.releases("2026.11.3", map[string]string{valuesA: values + "5Mi\n"})
	require.ErrorContains(t, less.err, valuesA+":3: the autosave volume of bl01t-a had 10Mi in bl01t/2026.11.2")
	require.Empty(t, less.booted)
	require.NoError(t, s.releases("2026.11.4", map[string]string{valuesA: values + "20Mi\n"}).err)
}

// A note that an IOC of the release before did not leave is new.
func TestNewNotes(t *testing.T) {
	s := tested(t)
	tests := []record.Test{
		{Of: "bl01t-a", Notes: []string{"no port L0"}}, {Of: "bl01t-new", Notes: []string{"no port L1"}},
	}
	notes, err := s.NewNotes(t.Context(), "HEAD", "bl01t/2026.11.2", tests)
	require.NoError(t, err)
	require.Equal(t, []diff.Note{{Of: "bl01t-a", Text: "no port L0"}}, notes)
	notes, err = s.NewNotes(t.Context(), "HEAD", "bl01t/2026.11.1", tests)
	require.NoError(t, err)
	require.Empty(t, notes, "the first release has none before it")
}

// What the release before has tested with the same inputs is not booted again.
func TestWhatWasTestedIsNotBootedAgain(t *testing.T) {
	s := tested(t)
	second := s.releases("2026.11.2", map[string]string{"README.md": "x"})
	require.NoError(t, second.err)
	require.Empty(t, second.booted)
	require.Equal(t, map[string]string{"bl01t-a": "bl01t/2026.11.1", "bl01t-b": "bl01t/2026.11.1"}, second.from())
	require.Equal(t, []string{"2 of 2 IOCs: tested by bl01t/2026.11.1"}, second.lines)
	require.Equal(t, s.digest("2026.11.1"), second.rec.Checks[1].From.Record)
	require.Equal(t, []string{"2 PVs of 2 IOCs"}, second.rec.Checks[0].Evidence, "PVs are judged over all")

	third := s.releases("2026.11.3", map[string]string{configA + "more.cmd": "# more\n"})
	require.NoError(t, third.err)
	require.Equal(t, []string{"bl01t-a"}, third.booted)
	require.Equal(t, map[string]string{"bl01t-b": "bl01t/2026.11.1"}, third.from(), "named is who ran it")
	require.NotEqual(t, second.rec.Checks[1].Inputs, third.rec.Checks[1].Inputs)

	fourth := s.releases("2026.11.4", nil)
	require.NoError(t, fourth.err)
	require.Equal(t, map[string]string{"bl01t-a": "bl01t/2026.11.3", "bl01t-b": "bl01t/2026.11.1"}, fourth.from())
	trusted, err := s.Signer.Trust(t.Context())
	require.NoError(t, err)
	found, err := attest.Taken(t.Context(), s.Registry, attest.Anyone(trusted), fourth.rec)
	require.NoError(t, err, "as verify and the gate ask")
	require.Len(t, found, 2)

	s.All = true
	all := s.releases("2026.11.5", nil)
	require.NoError(t, all.err)
	require.Equal(t, []string{"bl01t-a", "bl01t-b"}, all.booted)
	require.Empty(t, all.from())
}

// A PV that an IOC begins to serve is looked for among those that are not booted.
func TestPVsAreComparedWithThoseThatWereTaken(t *testing.T) {
	s := tested(t)
	same := "image: ioc-x 1.0.0\nprobePV: A:X\nenv: {SERVES: 'B:X'}\n"
	second := s.releases("2026.11.2", map[string]string{valuesA: same})
	require.Equal(t, []string{"bl01t-a"}, second.booted)
	require.ErrorContains(t, second.err, "bl01t-a and bl01t-b both serve B:X")
}

// Everything that a boot depends on has it booted again, and nothing else.
func TestEachChangeIsBooted(t *testing.T) {
	s := tested(t)
	s.ioc("ioc-x 1.0.1", asset.Image)
	rec, _, err := s.Registry.Record(t.Context(), "ioc-x", assettest.Version("1.0.1"))
	require.NoError(t, err)
	require.NoError(t, attest.Signer{Registry: s.Registry, By: s.Signer}.Record(t.Context(), rec))
	const values = "image: ioc-x 1.0.0\nprobePV: A:X\n"
	version := 1
	for name, c := range map[string]struct {
		file, text string
		same       bool
	}{
		"start-up script":   {file: configA + "st.cmd", text: line()[configA+"st.cmd"] + "# more\n"},
		"file of config":    {file: configA + "a.txt", text: "x"},
		"generic IOC":       {file: valuesA, text: strings.Replace(values, "1.0.0", "1.0.1", 1)},
		"probe PV":          {file: valuesA, text: strings.Replace(values, "A:X", "A:Y", 1)},
		"probe PV advances": {file: valuesA, text: values + "probeAdvances: true\n"},
		"protocol":          {file: valuesA, text: values + "protocol: pva\n"},
		"environment":       {file: valuesA, text: values + "env: {A: '1'}\n"},
		"user":              {file: valuesA, text: values + "uid: 2000\n"},
		"group":             {file: valuesA, text: values + "gid: 2000\n"},
		"time to stop":      {file: valuesA, text: values + "graceSeconds: 7\n"},
		"time to start":     {file: valuesA, text: values + "startup: {within: 3m}\n"},
		"allowed lines":     {file: valuesA, text: values + "startup: {allow: [{line: x, why: y}]}\n"},
		"refused lines":     {file: valuesA, text: values + "startup: {refuse: [{line: x, why: y}]}\n"},
		"autosave":          {file: valuesA, text: values + "autosave: 1Mi\n"},
		"memory":            {file: valuesA, text: values + "memory: 100Mi\n", same: true},
		"node":              {file: valuesA, text: values + "nodeSelector: {a: b}\n", same: true},
		"a comment":         {file: valuesA, text: values + "# more\n", same: true},
	} {
		t.Run(name, func(t *testing.T) {
			version++
			before := s.releases(fmt.Sprintf("2026.11.%d", version), map[string]string{
				valuesA: values, configA + "st.cmd": line()[configA+"st.cmd"],
			})
			require.NoError(t, before.err)
			version++
			r := s.releases(fmt.Sprintf("2026.11.%d", version), map[string]string{c.file: c.text})
			require.NoError(t, r.err)
			if c.same {
				require.Empty(t, r.booted)
			} else {
				require.Equal(t, []string{"bl01t-a"}, r.booted)
			}
		})
	}
}

// Two runs of one release leave the same record, and a check takes what a release would.
func TestACheckTakesWhatAReleaseWould(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	require.NoError(t, s.releases("2026.11.1", nil).err)
	s.commit(nil, "bl01t/2026.11.2")
	j, err := s.read("bl01t/2026.11.2")
	require.NoError(t, err)
	none := func(context.Context, []smoke.Subject) ([]*record.Test, error) {
		return nil, errors.New("it is booted")
	}
	require.NoError(t, j.check(t.Context(), (&beamlineJob{job: j, boot: none}).work()))
	require.Len(t, j.rec.Checks, 3)
	second := s.releases("2026.11.2", nil)
	require.Equal(t, j.rec.Checks[0], second.rec.Checks[1])
}
