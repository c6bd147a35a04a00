package beamline_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
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

// withService returns the good site with a service by image, and its lock.
func withService(t *testing.T, image string) fstest.MapFS {
	const folder = "beamlines/bl01t/iocs/bl01t-ea-py-01"
	fsys := site(t)
	for name, text := range map[string]string{
		folder + "/values.yaml": "service: a Python IOC\nimage: " + image + "\ncommand: [python, -m, pyioc]\n" +
			"boot: {command: [python, --check], within: 90s}\nenv: {A: b}\n" +
			"container: {livenessProbe: {tcpSocket: {port: 5064}}}\n",
		folder + "/config/pyioc.toml": "a = 1\n",
		"beamlines/bl01t/beamline.lock.yaml": "images:\n  ghcr.io/some-org/pyioc:1.2.3: " +
			"ghcr.io/some-org/pyioc:1.2.3@sha256:" + strings.Repeat("7", 64) + "\n",
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// A service by image runs what the lock says its tag stands for, and inherits nothing
// that only an IOC has.
func TestReadServiceByImage(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("7", 64)
	fsys := withService(t, "ghcr.io/some-org/pyioc:1.2.3")
	bl, err := beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	i := bl.Instances[0]
	require.Equal(t, &beamline.Foreign{
		Image: "ghcr.io/some-org/pyioc:1.2.3" + asset.Ref(digest), Command: []string{"python", "-m", "pyioc"},
		Boot: []string{"python", "--check"}, Within: 90 * time.Second, Line: 4,
	}, i.Foreign)
	require.True(t, i.Boots())
	require.True(t, i.Reaches())
	require.Equal(t, "100Mi", bl.Values.Autosave)
	require.Empty(t, i.Values.Autosave, "it has no autosave, whatever its beamline's IOCs have")
	require.Empty(t, i.Under(bl.Values).Autosave)
	require.Equal(t, "b", i.Values.Env["A"])
	all, err := bl.Origins(fsys, i)
	require.NoError(t, err)
	require.Equal(t, beamline.Value{"image", "ghcr.io/some-org/pyioc:1.2.3" + digest, i.File, 2}, all[1])
	for _, v := range all {
		require.NotContains(t, []string{"protocol", "autosave", "start"}, v.Key)
	}

	unlocked, err := beamline.ReadUnmade(fsys, "bl01t")
	require.NoError(t, err)
	require.Equal(t, []string{"ghcr.io/some-org/pyioc:1.2.3"}, unlocked.Tagged())

	fsys = withService(t, "ghcr.io/some-org/pyioc:1.2.3"+digest)
	_, err = beamline.Read(fsys, "bl01t")
	require.ErrorContains(t, err, "beamlines/bl01t/beamline.lock.yaml:2: ghcr.io/some-org/pyioc:1.2.3 is locked, and "+
		"no service names it; run: tagline lock bl01t, and commit beamlines/bl01t/beamline.lock.yaml")
	delete(fsys, "beamlines/bl01t/beamline.lock.yaml")
	bl, err = beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	require.EqualValues(t, "ghcr.io/some-org/pyioc:1.2.3"+digest, bl.Instances[0].Foreign.Image)
	require.Empty(t, bl.Tagged())

	fsys = withService(t, "ghcr.io/some-org/pyioc:1.2.3")
	delete(fsys, "beamlines/bl01t/beamline.lock.yaml")
	_, err = beamline.Read(fsys, "bl01t")
	require.ErrorContains(t, err, "bl01t-ea-py-01/values.yaml:2: ghcr.io/some-org/pyioc:1.2.3 is not locked: "+
		"nothing says which content is meant by it; run: tagline lock bl01t, and commit")
}
