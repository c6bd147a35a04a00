package startup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/startup"
)

func TestNames(t *testing.T) {
	files := map[string][]byte{
		"st.cmd": []byte("# of BL01T\ndbLoadRecords \"heartbeat.template\", \"P=BL01T-MO-IOC-01:\"\n" +
			"dbLoadTemplate \"a.substitutions\"\n"),
		"a.substitutions": []byte("file x {\n  pattern {P, M}\n  {BL01T-MO-, STAGE-01}\n  {BL01T-EA-, STAGE-02}\n}\n"),
		"b.db":            []byte("\nrecord(ai, \"BL01T-MO-STAGE-01:OWN\") {}\n"),
	}
	for pv, want := range map[string]struct {
		file string
		line int
	}{
		"BL01T-MO-IOC-01:HEARTBEAT": {"st.cmd", 2},
		"BL01T-MO-STAGE-01:OWN":     {"b.db", 2},
		"BL01T-EA-STAGE-02:RBV":     {"a.substitutions", 4},
		"X:Y":                       {"st.cmd", 0},
		"":                          {"st.cmd", 0},
	} {
		file, line := startup.Names(files, pv)
		require.Equal(t, want.file, file, pv)
		require.Equal(t, want.line, line, pv)
	}
}
