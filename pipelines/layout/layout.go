// Package layout says where things are inside images. EPICS links absolute
// paths, so a runtime image has them at the same places as its developer image.
package layout

const (
	// Base is the folder of EPICS Base.
	Base = "/epics/epics-base"
	// Support is the folder that holds the support modules.
	Support = "/epics/support"
	// IOC is the folder of the IOC application.
	IOC = "/epics/ioc"
	// RunFolder is the folder of ioc-run, which starts an IOC and looks after it,
	// and of ioc-ask, which asks one.
	RunFolder = "/epics/ioc-run"
	// Run is ioc-run: the first word of the entrypoint of every image with an IOC.
	Run = RunFolder + "/ioc-run"
	// Ask is ioc-ask.
	Ask = RunFolder + "/ioc-ask"
	// Config is where an IOC instance's config folder is mounted.
	Config = "/epics/config"
	// Autosave is where a volume is mounted that outlives the IOC.
	Autosave = "/epics/autosave"

	// Time is the time of what would else have that of its copying, in seconds: the
	// beginning of 1980, before which some formats of archives have none.
	Time = 315532800

	// HostArch is EPICS's name for what images run on.
	HostArch = "linux-x86_64"
	// SearchPath is PATH in every image: EPICS Base's programs first.
	SearchPath = Base + "/bin/" + HostArch + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// BaseModule is the support module that EPICS Base is.
const BaseModule = "epics-base"

// Module returns the folder of a support module.
func Module(name string) string {
	if name == BaseModule {
		return Base
	}
	return Support + "/" + name
}

// Program returns the path of a program of EPICS Base, such as caget.
func Program(name string) string { return Base + "/bin/" + HostArch + "/" + name }
