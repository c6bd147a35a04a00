package startup_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

// A config folder is read with the folders in it. What cannot be carried to a
// beamline is refused by name, all of it at once.
func TestAConfigFolderIsReadWhole(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) { require.NoError(t, os.WriteFile(dir+"/"+name, []byte(text), 0o644)) }
	require.NoError(t, os.MkdirAll(dir+"/c/db/more", 0o755))
	write("c/st.cmd", "iocInit\n")
	write("c/db/more/a.db", "record(ai, A) {}\n")
	write("shared.db", "record(ai, B) {}\n")
	require.NoError(t, os.Symlink("../shared.db", dir+"/c/b.db"))
	files, err := startup.Config(os.DirFS(dir), "c")
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"st.cmd": []byte("iocInit\n"), "db/more/a.db": []byte("record(ai, A) {}\n"),
		"b.db": []byte("record(ai, B) {}\n"),
	}, files, "a link to a file counts as that file")

	require.NoError(t, os.Symlink("db", dir+"/c/linked"))
	require.NoError(t, os.Symlink("nowhere", dir+"/c/gone.db"))
	require.NoError(t, os.Truncate(dir+"/c/db/more/a.db", 201<<20))
	write("c/a\x1b[2J.db", "")
	_, err = startup.Config(os.DirFS(dir), "c")
	for _, says := range []string{
		"c/linked: a symbolic link to a folder is not followed in a config folder; copy the folder, or link its files",
		"c/gone.db: it can't be read: ",
		"c/db/more/a.db: it has 201 MiB, more than the 200 of one file; move it into the generic IOC's image, or onto a volume",
		"its name has characters that can't be shown; rename it",
	} {
		require.ErrorContains(t, err, says)
	}
	require.Len(t, diag.All(err), 4)
}

func TestAConfigFolderHasAStartUpScript(t *testing.T) {
	_, err := startup.Config(fstest.MapFS{"c/a.db": {}}, "c")
	require.EqualError(t, err, "c: there is no start-up script; add st.cmd")
	for _, files := range []fstest.MapFS{{}, {"c": {}}} {
		_, err = startup.Config(files, "c")
		require.EqualError(t, err, "c: there is no such folder; add it, with the start-up script st.cmd")
	}
}

// A line whose macros the shell can't expand is not echoed: the message about it
// says which it was, and what comes after is found from there.
func TestTheCursorPassesALineThatIsNotEchoed(t *testing.T) {
	c := startup.NewCursor(map[string][]byte{
		"st.cmd": []byte("epicsEnvSet P X\n# a comment\necho $(NOBODY)\ndbLoadRecords(\"a.db\")\niocInit\n"),
	})
	require.True(t, c.Echo("epicsEnvSet P X"))
	c.Unread("macLib: macro NOBODY is undefined (expanding string echo $(NOBODY))")
	_, line := c.Place()
	assert.Equal(t, 3, line)
	c.Unread("macLib: macro OTHER is undefined (expanding string of somebody else)")
	_, line = c.Place()
	assert.Equal(t, 3, line, "a message of no line of the script moves nothing")
	require.True(t, c.Echo("dbLoadRecords(\"a.db\")"))
	assert.Equal(t, "a.db", c.Argument())
}

// A script need not be UTF-8: the shell echoes its bytes as they are, and the log
// may have them, or the mark that stands for them.
func TestTheCursorReadsLatin1(t *testing.T) {
	for _, log := range []string{"echo Gr\xfcn 1", "echo Gr�n 1"} {
		c := startup.NewCursor(map[string][]byte{"st.cmd": []byte("echo Gr\xfcn $(P=1)\niocInit\n")})
		require.False(t, c.Echo("echo Grn 1"), log)
		require.True(t, c.Echo(log))
		require.True(t, c.Echo("iocInit"))
	}
}
