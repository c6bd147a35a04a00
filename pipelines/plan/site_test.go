package plan

import (
	"fmt"
	"testing/fstest"
)

// site makes a tree of beamlines with 50 instances each, and of two images for
// each beamline: a root, one image of shared modules, the others built on it.
func site(beamlines int) fstest.MapFS {
	f := fstest.MapFS{}
	put := func(text, name string, args ...any) {
		f[fmt.Sprintf(name, args...)] = &fstest.MapFile{Data: []byte(text)}
	}
	put(
		"git: https://github.com/epics-base/epics-base\nmacro: EPICS_BASE\ndbds: [base.dbd]\nlibs: [Com]\n",
		"generic-iocs/support/epics-base.yaml",
	)
	put("from: debian:trixie-slim\nmodules: {epics-base: R7.0.8.1}\n", "generic-iocs/epics-base/image.yaml")
	put(
		"git: https://github.com/epics-modules/asyn\nmacro: ASYN\ndbds: [asyn.dbd]\nlibs: [asyn]\n",
		"generic-iocs/support/asyn.yaml",
	)
	put("from: epics-base 7.0.8.1r1.0\nmodules: {asyn: R4-45}\n", "generic-iocs/epics-modules/image.yaml")
	for i := range 2*beamlines - 2 {
		put(
			fmt.Sprintf(
				"git: https://github.com/epics-modules/dev%d\nmacro: DEV%d\nneeds: [asyn]\ndbds: [dev.dbd]\n"+
					"libs: [dev%d]\n",
				i, i, i,
			),
			"generic-iocs/support/dev%d.yaml", i,
		)
		put(
			fmt.Sprintf(
				"from: epics-modules 4.45r1.0\nmodules: {dev%d: R1-0}\nioc: {modules: [dev%d]}\n"+
					"smoke: {config: smoke, checks: [{pv: SIM:A, value: \"1\"}]}\n",
				i, i,
			),
			"generic-iocs/ioc-dev%d/image.yaml", i,
		)
		put(script, "generic-iocs/ioc-dev%d/smoke/st.cmd", i)
	}
	put("apiVersion: v2\nname: ioc-lib\ntype: library\nversion: 0.0.0\n", "charts/ioc-lib/Chart.yaml")
	for b := range beamlines {
		bl := fmt.Sprintf("bl%03dp", b)
		put("namespace: "+bl+"\nvalues: {uid: 1000, gid: 1000, memory: 256Mi}\n", "beamlines/%s/beamline.yaml", bl)
		for i := range 50 {
			inst := fmt.Sprintf("%s-mo-ioc-%02d", bl, i)
			own := ""
			if i%2 == 1 {
				own = "memory: 1Gi\n"
			}
			put(
				fmt.Sprintf(
					"image: ioc-dev%d 1.0.0\nprobePV: %s-MO-IOC-%02d:A\n%s", (b+i)%max(1, 2*beamlines-2), bl, i, own,
				),
				"beamlines/%s/iocs/%s/values.yaml", bl, inst,
			)
			put(script, "beamlines/%s/iocs/%s/config/st.cmd", bl, inst)
		}
	}
	return f
}

const script = "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n"
