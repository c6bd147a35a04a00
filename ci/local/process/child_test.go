package process

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAChildSaysWhatWentWrong(t *testing.T) {
	out, err := Child{Dir: "/", Env: []string{"WORD=oops"},
		Args: []string{"/bin/sh", "-c", "pwd; echo $WORD >&2; exit 3"}}.Run(t.Context())
	assert.ErrorContains(t, err, "exit status 3")
	assert.Equal(t, "/\noops\n", out)
}

func TestAChildAndItsChildrenEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	// The grandchild holds the output open: only its end ends the run early.
	_, err := Child{Args: []string{"/bin/sh", "-c", "sleep 4712 & wait"}}.Run(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Eventually(t, func() bool { return sleeper("4712") != nil }, time.Minute, 20*time.Millisecond)
}

func TestLastLines(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "a\nb\n": "a\nb", "a\nb\nc\n\n": "b\nc"} {
		assert.Equal(t, want, LastLines(text, 2))
	}
}

func TestNeedRoot(t *testing.T) {
	err := NeedRoot("starting the engine", "name one")
	if os.Geteuid() == 0 {
		assert.NoError(t, err)
		return
	}
	assert.ErrorContains(t, err, "starting the engine: only root can, and this is not root; run as root, or name one")
}

func TestExitError(t *testing.T) {
	assert.NoError(t, exitError("x", 0))
	assert.EqualError(t, exitError("x", 3<<8), "x: exit status 3")
	assert.EqualError(t, exitError("x", syscall.WaitStatus(syscall.SIGKILL)), "x: killed by killed")
}
