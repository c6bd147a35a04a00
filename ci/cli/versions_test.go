package cli

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
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
	all := promote.Versions(released, l)
	pass := func(_ context.Context, v asset.Version) error {
		if v.String() != "2026.11.3" {
			return nil
		}
		return errors.Join(
			&diag.Error{Err: errors.New("nobody approved it")}, &diag.Error{Err: errors.New("it is night")},
		)
	}
	promote.Judge(t.Context(), all[:2], &ledger.Ledger{}, pass)
	promote.Judge(t.Context(), all[2:], &ledger.Ledger{Hold: &ledger.Note{Reason: "rolled back"}}, pass)
	var out bytes.Buffer
	require.NoError(t, writeVersions(&out, all))
	require.Equal(t, `VERSION    RELEASED   PROMOTED                   GATE
2026.11.3  yes        -                          closed: nobody approved it; it is night
2026.11.2  yes        2026-11-23 05:00:00, runs  open
2026.11.1  yes        2026-11-23 04:00:00        closed: the beamline is on hold: rolled back
2026.10.1  not found  2026-11-23 02:00:00        -
`, out.String())
	out.Reset()
	require.NoError(t, writeVersions(&out, promote.Versions(nil, &ledger.Ledger{})))
	require.Equal(t, "nothing was released\n", out.String())
}
