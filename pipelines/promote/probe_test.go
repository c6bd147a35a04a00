package promote

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// An API server that is too busy for a while does not make an IOC dead, and an IOC
// that does not answer is not asked for ever.
func TestInsist(t *testing.T) {
	silent, busy := errors.New("exit status 1"), &net.OpError{Op: "dial", Err: errors.New("i/o timeout")}
	for name, c := range map[string]struct {
		answers []error // one for each time it is asked; then it answers 5
		asked   int
		err     error
	}{
		"at once":          {asked: 1},
		"a lost search":    {answers: []error{silent, silent}, asked: 3},
		"dead":             {answers: []error{silent, silent, silent}, asked: 3, err: silent},
		"busy":             {answers: []error{busy, busy, busy, busy, busy}, asked: 6},
		"dead after all":   {answers: []error{silent, busy, silent, busy, silent}, asked: 5, err: silent},
		"the time is over": {answers: []error{busy, busy, busy, context.Canceled}, asked: 4, err: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				asked := 0
				value, err := insist(ctx, func() (string, error) {
					asked++
					if asked > len(c.answers) {
						return "5", nil
					}
					if errors.Is(c.answers[asked-1], context.Canceled) {
						cancel()
					}
					return "", c.answers[asked-1]
				})
				require.Equal(t, c.asked, asked)
				require.ErrorIs(t, err, c.err)
				if c.err == nil {
					require.Equal(t, "5", value)
				}
			})
		})
	}
}
