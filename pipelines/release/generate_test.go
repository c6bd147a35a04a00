package release

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// sources is an instance whose config folder is generated.
func sources(config map[string][]byte) *beamline.Instance {
	return &beamline.Instance{
		Name: "bl01t-mo-ioc-01", Folder: "beamlines/bl01t/iocs/bl01t-mo-ioc-01", Config: config,
		Generator: &beamline.Generator{
			Image: assettest.Pin("ioc-simstage 1.0.0"), Command: []string{"sh", "make.sh"},
			Folders: []string{"beamlines/bl01t/iocs/bl01t-mo-ioc-01/generate"},
		},
	}
}

func TestACommittedConfigIsWhatItsGeneratorMakes(t *testing.T) {
	st, db := []byte("iocInit\n"), []byte("a\nb\nc\n")
	const folder, mend = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config/",
		"; run tagline generate bl01t bl01t-mo-ioc-01, and commit what it writes"
	for name, c := range map[string]struct {
		committed, made map[string][]byte
		faults          []string
	}{
		"the same": {map[string][]byte{"st.cmd": st}, map[string][]byte{"st.cmd": st}, nil},
		"edited by hand": {
			map[string][]byte{"st.cmd": st, "a.db": []byte("a\nB\nc\n")}, map[string][]byte{"st.cmd": st, "a.db": db},
			[]string{folder + "a.db:2: the generator makes something else from here on" + mend},
		},
		"cut short": {
			map[string][]byte{"a.db": []byte("a\nb\n")}, map[string][]byte{"a.db": db},
			[]string{folder + "a.db:3: the generator makes something else from here on" + mend},
		},
		"not made any more, and new": {
			map[string][]byte{"st.cmd": st, "old.db": db}, map[string][]byte{"st.cmd": st, "new.db": db},
			[]string{
				folder + "new.db: it is not there, and the generator makes it" + mend,
				folder + "old.db: the generator does not make it" + mend,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test := generated("bl01t", sources(c.committed), c.made)
			require.Equal(t, c.faults, test.Faults)
			require.Equal(t, len(c.faults) == 0, test.Passed)
			require.Equal(t, record.GeneratedTest, test.Name)
			if test.Passed {
				require.Equal(t, []string{"config/ is what sh make.sh makes of " +
					"beamlines/bl01t/iocs/bl01t-mo-ioc-01/generate in ioc-simstage 1.0.0"}, test.Evidence)
			}
		})
	}
}

func TestOnlyInstancesWithSourcesAreGenerated(t *testing.T) {
	byHand := &beamline.Instance{Name: "bl01t-mo-ioc-02"}
	bl := &beamline.Beamline{Name: "bl01t", Instances: []*beamline.Instance{sources(nil), byHand}}
	chosen, err := sourced(bl, nil)
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	_, err = sourced(bl, []string{"bl01t-mo-ioc-02"})
	require.ErrorContains(t, err, "bl01t-mo-ioc-02: beamline bl01t has none of that name; name one of bl01t-mo-ioc-01")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = sourced(&beamline.Beamline{Name: "bl01t"}, []string{"bl01t-mo-ioc-02"})
	require.ErrorContains(t, err, "add generate/ to an instance")
}
