// Package keytest makes keys, for tests.
package keytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/sign"
)

// New returns a new key without a password, and its public part as PEM.
func New(t testing.TB) (key *sign.Key, public []byte) {
	t.Helper()
	private, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	key, err = sign.ReadKey(private, nil)
	require.NoError(t, err)
	return key, public
}
