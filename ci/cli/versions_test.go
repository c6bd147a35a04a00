package cli

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Each version has one line: whether it was released, when it was promoted last, whether
// it runs, and what the gate says.
func TestVersions(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.Local)
	ran := func(version, digest string, hours int) ledger.Release {
		return ledger.Release{
			Record: record.Record{Version: assettest.Version(version)}, Digest: asset.Digest(digest),
			Since: at.Add(time.Duration(hours) * time.Hour),
		}
	}
	l := &ledger.Ledger{Releases: []ledger.Release{
		ran("2026.11.2", "b", 2), ran("2026.11.1", "a", 1), ran("2026.11.2", "b", 0), ran("2026.10.1", "z", -1),
	}}
	var released []asset.Version
	for _, v := range []string{"2026.11.3", "2026.11.2", "2026.11.1"} {
		released = append(released, assettest.Version(v))
	}
	lines := versionLines(released, l)
	for i := range lines {
		lines[i].ask(func(v asset.Version) error {
			if v.String() != "2026.11.3" {
				return nil
			}
			return errors.Join(
				&diag.Error{Err: errors.New("nobody approved it")}, &diag.Error{Err: errors.New("it is night")},
			)
		})
	}
	onHold(lines, &ledger.Ledger{})
	require.True(t, lines[2].Open)
	onHold(lines[2:], &ledger.Ledger{Hold: &ledger.Note{Reason: "rolled back"}})
	var out bytes.Buffer
	require.NoError(t, writeVersions(&out, lines))
	require.Equal(t, `VERSION    RELEASED   PROMOTED                   GATE
2026.11.3  yes        -                          closed: nobody approved it; it is night
2026.11.2  yes        2026-11-23 05:00:00, runs  open
2026.11.1  yes        2026-11-23 04:00:00        closed: the beamline is on hold: rolled back
2026.10.1  not found  2026-11-23 02:00:00        -
`, out.String())
	out.Reset()
	require.NoError(t, writeVersions(&out, versionLines(nil, &ledger.Ledger{})))
	require.Equal(t, "nothing was released\n", out.String())
}
