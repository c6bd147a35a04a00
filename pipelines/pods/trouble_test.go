package pods

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTroubleShowsItsEvidence(t *testing.T) {
	tr := &Trouble{
		Instance: "a",
		Err:      assert.AnError,
		Events:   []string{"BackOff: again"},
		Log:      []string{"one", "two"},
	}
	require.Equal(t, "a: "+assert.AnError.Error(), tr.Error())
	require.ErrorIs(t, tr, assert.AnError)
	require.Equal(t, "  events of a:\n    BackOff: again\n  last log lines of a:\n    one\n    two", tr.Evidence())
	require.Empty(t, (&Trouble{Instance: "a", Err: assert.AnError}).Evidence())
}
