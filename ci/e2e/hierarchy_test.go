package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestHierarchy releases EPICS Base, essential modules on it, and a generic IOC
// on those: a chain, a diamond, a submodule with a relative URL, a module that
// reads a file, and one that is linked with a library of a Debian package.
func TestHierarchy(t *testing.T) {
	s, environ := newHierarchy(t)
	reg := registry(t)
	s.images(reg)
	s.tag("essential/1.0.0", "ioc-axis/1.0.0")
	require.Regexp(
		t, `(?m)^ +vendor/fir: [0-9a-f]{40}$`, readFile(t, s, "generic-iocs/ioc-axis/image.lock.yaml"),
		"a submodule is not pinned",
	)
	var rec record.Record
	for _, tag := range []string{"essential/1.0.0", "ioc-axis/1.0.0"} {
		r := runEnv(t, s.dir, environ, "release", tag, "--registry", reg, "--output", "json")
		require.Equal(t, 0, r.status, r.err)
		require.NoError(t, json.Unmarshal([]byte(r.out), &rec))
	}
	require.Len(t, rec.Artifacts, 2)
	minimal(t, rec, []string{
		"epics/support/scale/lib/linux-x86_64/libscale.so", "epics/support/limit/lib/linux-x86_64/liblimit.so",
		"epics/support/axis/db/axis.db", "epics/support/table/data/table.txt",
		"usr/lib/x86_64-linux-gnu/libyaml-0.so.2",
	}, []string{"epics/support/mean/vendor/fir/fir.c", "epics/support/scale/include/scale.h", "usr/include/yaml.h"})

	sizes := map[string]int64{}
	for _, check := range rec.Checks {
		for _, s := range check.Sizes {
			sizes[string(s.Target)+" "+s.Owner] = s.Bytes
		}
	}
	for _, owner := range []string{
		"runtime parent essential", "runtime Debian libyaml-0-2", "runtime axis", "runtime ioc",
		"developer parent essential", "developer table",
	} {
		require.Positive(t, sizes[owner], owner)
	}
	require.Less(t, sizes["runtime parent essential"], sizes["developer parent essential"])
}

// TestCheckInTree checks an IOC and a beamline on images that nobody released.
// A release keeps to those that were.
func TestCheckInTree(t *testing.T) {
	s, environ := newHierarchy(t)
	reg := env.Registry + "/none/in-tree"
	s.edit("modules/limit/src/limit.c", "scaleRaw(50)", "scaleRaw(60)")
	s.edit("generic-iocs/ioc-axis/image.yaml", `value: "100"`, `value: "120"`)
	s.write(s.instance("01", "values.yaml"), "image: ioc-axis 9.9.9\nprobePV: BL91T:HEARTBEAT\n")
	s.write(
		s.instance("01", "config/st.cmd"),
		"dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\n"+
			"dbLoadRecords \"axis.db\", \"P=BL91T:\"\niocInit\n",
	)
	s.commit("ioc-axis/1.0.0")
	var tests []record.Test
	r := runEnv(
		t, s.dir, environ, "check", "--in-tree", "ioc-axis/1.0.0", "bl91t/1.0.0", "--registry", reg, "--output",
		"json",
	)
	require.Equal(t, 0, r.status, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.out), &tests))
	var of []string
	for _, test := range tests {
		require.True(t, test.Passed, test.Faults)
		of = append(of, test.Name+" "+test.Of)
	}
	require.Equal(
		t,
		[]string{
			"smoke ioc-axis", "contents ioc-axis", "boot bl91t-mo-ioc-01", "boot bl91t-mo-ioc-02", "unique PVs bl91t",
		},
		of,
	)

	// An IOC on an IOC has its own modules and not those of the one below.
	s.write(
		"generic-iocs/ioc-raw/image.yaml",
		"from: ioc-axis 1.0.0\nioc: {modules: [axis]}\n"+
			"smoke: {config: smoke, checks: [{pv: \"TEST:RBV\", value: \"42\"}]}\n",
	)
	script := "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\n" +
		"dbLoadRecords \"axis.db\", \"P=TEST:\"\n"
	s.write("generic-iocs/ioc-raw/smoke/st.cmd", script+"iocInit\n")
	s.commit()
	r = runEnv(t, s.dir, environ, "check", "--in-tree", "ioc-raw/1.0.0")
	require.Equal(t, 0, r.status, r.err)
	s.write("generic-iocs/ioc-raw/smoke/st.cmd", script+"tableLoad \"/epics/support/table/data/table.txt\"\niocInit\n")
	s.commit()
	r = runEnv(t, s.dir, environ, "check", "--in-tree", "ioc-raw/1.0.0")
	require.Equal(t, 2, r.status, r.err)
	require.Contains(t, r.err, "generic-iocs/ioc-raw/smoke/st.cmd:4: Command tableLoad not found")

	for _, args := range [][]string{{"check", "ioc-axis/1.0.0"}, {"release", "ioc-axis/1.0.0"}} {
		r := runEnv(t, s.dir, environ, append(args, "--registry", reg)...)
		require.Equal(t, 2, r.status, r.err)
		require.Contains(t, r.err, "generic-iocs/ioc-axis/image.yaml: essential 1.0.0 is not released in "+reg)
	}
}
