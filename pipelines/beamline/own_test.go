package beamline_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

func TestReadOwnChartFiles(t *testing.T) {
	at := "beamlines/bl01t/iocs/bl01t-ea-ioc-01/"
	tree := fstest.MapFS{
		"beamlines/bl01t/beamline.yaml": {Data: []byte("namespace: bl01t\n")},
		at + "values.yaml":              {Data: []byte("image: ioc-simstage 1.0.0\nprobePV: BL01T:TIME\n")},
		at + "config/st.cmd":            {Data: []byte("iocInit\n")},
		at + "Chart.yaml":               {Data: []byte("description: mine\n")},
		at + "templates/a.yaml":         {Data: []byte("a: 1\n")},
		at + "templates/more/_b.tpl":    {Data: []byte("b\n")},
	}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"Chart.yaml": []byte("description: mine\n"), "templates/a.yaml": []byte("a: " +
			"1\n"), "templates/more/_b.tpl": []byte("b\n"),
	}, bl.Instances[0].Own)
}

// A service has the chart that says what runs, and needs no start-up script.
func TestReadService(t *testing.T) {
	const folder = "beamlines/bl01t/iocs/bl01t-ea-gateway-01"
	fsys := site(t)
	for name, text := range map[string]string{
		"values.yaml": "service: a pvAccess gateway\nenv: {A: b}\n", "Chart.yaml": "", "templates/deployment.yaml": "",
		"config/gateway.conf": "{}",
	} {
		fsys[folder+"/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	bl, err := beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	i := bl.Instances[0]
	require.Equal(t, "a pvAccess gateway", i.Service)
	require.True(t, i.Image.IsZero())
	require.Equal(t, map[string][]byte{"gateway.conf": []byte("{}")}, i.Config)
	delete(fsys, folder+"/config/gateway.conf")
	bl, err = beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	require.Empty(t, bl.Instances[0].Config)
}
