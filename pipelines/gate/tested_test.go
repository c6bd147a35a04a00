package gate

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

const inputsDigest = "sha256:4444444444444444444444444444444444444444444444444444444444444444"

// takes are good facts, but that the boot was run by the release before.
func takes() Facts {
	f := good()
	first := *f.Release.Record
	first.Version, first.Tag.Version = parse("2026.10.1"), parse("2026.10.1")
	test := f.Release.Record.Checks[0]
	test.Inputs = inputsDigest
	first.Checks = []record.Test{test}
	test.From = &record.Origin{Release: first.Tag, Record: chartDigest}
	f.Release.Record.Checks = []record.Test{test}
	f.Taken = []*attest.Release{{Record: &first, Digest: chartDigest, Signer: "an older key"}}
	return f
}

// A boot that another release ran counts where that one's record shows it.
func TestABootThatWasTaken(t *testing.T) {
	f := takes()
	pass, err := Decide(f).Pass()
	require.NoError(t, err)
	require.Equal(t, []record.Signature{
		{Asset: "bl01t", Tag: f.Release.Record.Tag, Signer: "a key"},
		{Asset: "bl01t", Tag: f.Taken[0].Record.Tag, Signer: "an older key"},
	}, pass.Signatures(), "a rollback asks whether both are trusted still")

	for name, spoil := range map[string]func(*Facts){
		"of a record that was not read": func(f *Facts) { f.Taken = nil },
		"of another record":             func(f *Facts) { f.Taken[0].Digest = recordDigest },
		"of other inputs":               func(f *Facts) { f.Taken[0].Record.Checks[0].Inputs = chartDigest },
		"of another image":              func(f *Facts) { f.Taken[0].Record.Checks[0].Digest = chartDigest },
		"that did not pass":             func(f *Facts) { f.Taken[0].Record.Checks[0].Passed = false },
		"that was not run there":        func(f *Facts) { f.Taken[0].Record.Checks = nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := takes()
			spoil(&f)
			_, err := Decide(f).Pass()
			require.ErrorContains(t, err, "check boot of bl01t-mo-ioc-01 was taken from bl01t/2026.10.1, "+
				"whose record does not show it; tag another version and release that with --all")
		})
	}
}

// next seals 1.0.1, whose boot was taken from 1.0.0.
func (w *world) next(by *person) {
	first, digest, err := w.reg.Record(w.Context(), "bl01t", parse("1.0.0"))
	require.NoError(w, err)
	w.release("1.0.1", by, func(r *record.Record) {
		was := first.Instances[0]
		r.Parents, r.Instances[0].IOC, r.Instances[0].Image = first.Parents, was.IOC, was.Image
		c := w.chart("1.0.1", r.Instances[0].Image)
		r.Artifacts[0].Digest, r.Instances[0].Chart = c, w.reg.At("charts/bl01t-a", c)
		r.Checks = []record.Test{first.Checks[0]}
		r.Checks[0].From = &record.Origin{Release: asset.Tag{Asset: "bl01t", Version: first.Version}, Record: digest}
	})
}

func inputs(r *record.Record) { r.Checks[0].Inputs = inputsDigest }

// The gate reads the record that ran a boot, and wants it signed as the release itself.
func TestTheRecordThatRanABootIsVerified(t *testing.T) {
	w := newWorld(t)
	w.release("1.0.0", &w.maker, inputs)
	w.next(&w.maker)
	_, digest, err := w.reg.Record(t.Context(), "bl01t", parse("1.0.1"))
	require.NoError(t, err)
	w.approve(w.ajp, digest, nil)
	verdict, err := w.ask("1.0.1")
	require.NoError(t, err)
	pass, err := verdict.Pass()
	require.NoError(t, err)
	require.Len(t, pass.Signatures(), 3)

	w = newWorld(t)
	w.release("1.0.0", nil, inputs)
	w.next(&w.maker)
	w.refuses("1.0.1", "verifying ioc-simstage 1.0.0: ")
	first, _, err := w.reg.Record(t.Context(), "ioc-simstage", parse("1.0.0"))
	require.NoError(t, err)
	signer := attest.Signer{Registry: w.reg, By: w.maker.key}
	require.NoError(t, signer.Record(t.Context(), first))
	w.refuses("1.0.1", "verifying bl01t 1.0.0: ")
	w.policy = "unsigned: nobody signs here\n"
	verdict, err = w.ask("1.0.1")
	require.NoError(t, err)
	require.True(t, verdict.Open, "where no signature is asked for, the record is read all the same")
}

// A service is not booted, which the reason says; an IOC can't pass for one.
func TestAServiceIsNotBooted(t *testing.T) {
	f := good()
	service := record.Instance{Name: "bl01t-gateway", Chart: f.Release.Record.Instances[0].Chart, Service: "a gateway"}
	f.Release.Record.Instances = append(f.Release.Record.Instances, service)
	reasons := tests(f)
	require.Len(t, reasons, 1)
	require.Contains(t, reasons[0].Why, "service bl01t-gateway: not booted, and its values do not say why")
	_, err := Decide(f).Pass()
	require.NoError(t, err)
	f.Release.Record.Instances[1].NotBooted = "it wants the archive"
	require.Contains(t, tests(f)[0].Why, "service bl01t-gateway: not booted: it wants the archive")
	f.Release.Record.Instances[1].Service = ""
	_, err = Decide(f).Pass()
	require.ErrorContains(t, err, "bl01t-gateway was never booted at the image it would run")
}

// A service's own test counts where its chart runs the image that it was run in.
func TestAServiceIsBootedInItsImage(t *testing.T) {
	f := good()
	service := record.Instance{Name: "bl01t-py", Chart: f.Release.Record.Instances[0].Chart, Service: "a Python IOC"}
	f.Release.Record.Instances = append(f.Release.Record.Instances, service)
	digest := asset.Digest("sha256:" + strings.Repeat("7", 64))
	f.Release.Record.Checks = append(f.Release.Record.Checks,
		record.Test{Name: record.ServiceTest, Of: "bl01t-py", Digest: digest, Passed: true})
	f.Needs = map[string][]string{"bl01t-py": {"image ghcr.io/some-org/pyioc:1.2.3@" + string(digest)}}
	require.Contains(t, tests(f)[0].Why, "service bl01t-py: its boot command passed")
	f.Needs["bl01t-py"] = []string{"image ghcr.io/some-org/pyioc:1.2.4@sha256:" + strings.Repeat("8", 64)}
	require.Contains(t, tests(f)[0].Why, "bl01t-py was booted in an image that its chart does not run, "+string(digest))
}
