package smoke

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/startup"
)

// TestEachFaultOfBase judges what an IOC of EPICS Base 7.0.8.1 printed for the start-up
// script in testdata/base/config, in which nearly every line is wrong: a misspelt
// command, a database or a substitution file that is wrong in each way that a loader
// finds, and what iocInit finds. No command in it may go without a fault. The
// end-to-end tests boot the same folder.
func TestEachFaultOfBase(t *testing.T) {
	config, err := startup.Files(os.DirFS("testdata/base"), "config")
	require.NoError(t, err)
	log, err := os.ReadFile("testdata/base/log")
	require.NoError(t, err)
	s := Subject{Name: "faulty", Folder: "config", Config: config}
	b := boot(t, string(log)+"@exit 1 0\n")
	require.Empty(t, b.notes(s), "a fault is taken for a note")
	golden.Assert(t, strings.Join(b.faults(s), "\n")+"\n", "base/want")
}
