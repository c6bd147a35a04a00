package process

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAChildSaysWhatWentWrong(t *testing.T) {
	out, err := Child{Dir: "/", Env: []string{"WORD=oops"}, Args: []string{"/bin/sh", "-c", "pwd; echo $WORD >&2; exit 3"}}.Run(t.Context())
	assert.ErrorContains(t, err, "exit status 3")
	assert.Equal(t, "/\noops\n", out)
}

func TestAChildAndItsChildrenEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	// The grandchild holds the output open: only its end ends the run early.
	_, err := Child{Args: []string{"/bin/sh", "-c", "sleep 4712 & wait"}}.Run(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Eventually(t, func() bool { return sleeper("4712") != nil }, 10*time.Second, 20*time.Millisecond)
}
