package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// makeConfig is a generator: a start-up script, and a database of a table's lines by
// msi of the developer image.
const makeConfig = `set -e
cat > /epics/config/st.cmd <<END
dbLoadDatabase "/epics/ioc/dbd/ioc.dbd"
ioc_registerRecordDeviceDriver(pdbbase)
dbLoadRecords "$DATABASE"
iocInit
END
while IFS=, read -r name value; do
  msi -M "P=$IOC_NAME,NAME=$name,VALUE=$value" axis.template
done < axes.csv > "/epics/config/$DATABASE"
`

// TestAGeneratedConfig makes an instance's config folder from sources of its own and
// of its beamline, releases it, and refuses one that was edited.
func TestAGeneratedConfig(t *testing.T) {
	s, reg := newSite(t, "bl85t"), registry(t)
	s.images(reg)
	config := s.instance("01", "config")
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, config)))
	s.write("beamlines/bl85t/beamline.yaml", `namespace: bl85t
values: {env: {DATABASE: axes.db}}
generate: {command: [sh, make.sh]}
`)
	s.write("beamlines/bl85t/generate/make.sh", makeConfig)
	s.write("beamlines/bl85t/generate/axis.template",
		"record(ao, \"$(P):$(NAME)\") { field(VAL, \"$(VALUE)\") field(PINI, \"YES\") }\n")
	s.write(s.instance("01", "generate/axes.csv"), "X,1\nY,2\n")
	s.write(s.instance("01", "values.yaml"), "image: ioc-simstage 1.0.0\nprobePV: bl85t-mo-ioc-01:X\n")

	s.commit()
	r := run(t, s.dir, "check", "--registry", reg)
	require.Equal(t, 2, r.status, r.err)
	require.Contains(t, r.err, config+": it is made from generate/, and was not made yet")
	require.Equal(t, config+"/axes.db\n"+config+"/st.cmd\n", ok(t, s.dir, "generate", "bl85t", "--registry", reg))
	require.Equal(t, "[]\n", ok(t, s.dir, "generate", "--registry", reg, "--output", "json"), "it is made already")
	s.commit("bl85t/1.0.0")
	ok(t, s.dir, "release", "bl85t/1.0.0", "--registry", reg)
	var rec record.Record
	read(t, &rec, s.dir, "record", "bl85t/1.0.0", "--registry", reg)
	boot, made := rec.Checks[1], rec.Checks[2]
	require.Equal(t, record.GeneratedTest, made.Name)
	require.Equal(t, "bl85t-mo-ioc-01", made.Of)
	require.Contains(t, boot.PVs, record.PV{Name: "bl85t-mo-ioc-01:Y", Type: "ao"})

	s.write(s.instance("01", "generate/axes.csv"), "X,1\nY,3\n")
	s.commit()
	r = run(t, s.dir, "check", "bl85t/1.0.1", "--registry", reg)
	require.Equal(t, 2, r.status, r.err)
	require.Contains(t, r.err, config+"/axes.db:2: the generator makes something else from here on; "+
		"run tagline generate bl85t bl85t-mo-ioc-01, and commit what it writes")
	s.write("beamlines/bl85t/generate/make.sh", "echo there is no axis >&2; exit 3\n")
	r = run(t, s.dir, "generate", "bl85t", "--registry", reg)
	require.Equal(t, 2, r.status, r.err)
	require.Contains(t, r.err, "beamlines/bl85t/beamline.yaml: generating the config folder of bl85t-mo-ioc-01: "+
		"sh make.sh: exit status 3")
	require.Contains(t, r.err, "there is no axis")
	require.FileExists(t, filepath.Join(s.dir, config, "axes.db"), "nothing was changed")
}
