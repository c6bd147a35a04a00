package promote

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// A run whose lock is lost touches nothing more, and says what is left to do. It
// has no cluster here: touching one would panic.
func TestARunWithoutItsLockPutsNothingBack(t *testing.T) {
	lost, lose := context.WithCancel(t.Context())
	lose()
	for name, c := range map[string]struct {
		held  context.Context
		cause error
	}{
		"the lock ended":        {lost, errors.New("a: not ready")},
		"a request was refused": {t.Context(), fmt.Errorf("upgrading a: %w", ledger.ErrLockLost)},
	} {
		m := &move{
			held: c.held, doing: "promoting",
			ledger: &ledger.Ledger{Underway: &ledger.Underway{Former: map[string]int{"a": 1}}},
		}
		m.to.Record = record.Record{Asset: "bl01t", Version: assettest.Version("2.0.0")}
		err := m.undo(t.Context(), c.cause)
		require.Equal(t, diag.Broken, diag.KindOf(err), name)
		require.ErrorContains(t, err, "promoting bl01t 2.0.0: the beamline's lock was lost", name)
		require.ErrorContains(
			t, err,
			"see tagline status bl01t: if no other run went on from here, run it again to finish it, or tagline rollback bl01t to put it back",
			name,
		)
	}
}
