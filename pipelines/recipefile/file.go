package recipefile

import (
	"sync"

	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// imageFile is generic-iocs/<name>/image.yaml as people write it.
type imageFile struct {
	From     string            `json:"from" jsonschema:"title=parent,example=epics-base 7.0.8.1r1.0,example=debian:trixie-slim" jsonschema_description:"The image this one is built on: another generic IOC image and its released version. For the root of the hierarchy a container image with its tag."`
	Modules  map[string]gitRef `json:"modules,omitempty" jsonschema:"title=support modules" jsonschema_description:"Support modules built in this image: the name of a file in generic-iocs/support and the git ref to build. The ref tree means that the source is in this repository."`
	Targets  []target          `json:"targets,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Cross targets, as EPICS names them, that the modules and the IOC are also built for. What it is built on must have been built for them too."`
	Packages *packagesFile     `json:"packages,omitempty" jsonschema_description:"Debian packages of this image, beside those its support modules ask for."`
	IOC      *iocFile          `json:"ioc,omitempty" jsonschema_description:"The IOC binary. Leave it out for an image that others are only built on."`
	Startup  startup.Rules     `json:"startup,omitempty" jsonschema_description:"How the start of every IOC of this image is judged; an instance's own rules come first."`
	Smoke    *smokeFile        `json:"smoke,omitempty" jsonschema_description:"What must be seen of the IOC before the image is released."`
}

// packagesFile is the packages key of an image.
type packagesFile struct {
	Build []debianPackage `json:"build,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Debian packages of the developer image."`
	Run   []debianPackage `json:"run,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Debian packages of the runtime image beyond those that own the libraries the IOC loads."`
}

// iocFile is the ioc key of an image.
type iocFile struct {
	Modules []moduleRef `json:"modules,omitempty" jsonschema:"uniqueItems=true,minItems=1" jsonschema_description:"Support modules whose dbds and libraries the generated IOC has; what they need comes with them."`
	Source  string      `json:"source,omitempty" jsonschema:"minLength=1,example=app" jsonschema_description:"In place of modules: a folder beside image.yaml with an IOC application of its own."`
}

// smokeFile is the smoke key of an image.
type smokeFile struct {
	Config  string          `json:"config" jsonschema:"minLength=1,example=smoke" jsonschema_description:"A folder beside image.yaml with the start-up script st.cmd, mounted as an instance's config folder is."`
	Checks  []checkFile     `json:"checks" jsonschema:"minItems=1" jsonschema_description:"Questions to the running IOC, asked over each of Channel Access and pvAccess that it serves."`
	Beside  []simulatorFile `json:"beside,omitempty" jsonschema_description:"Simulators of devices that run beside the IOC: it reaches them at 127.0.0.1, and nothing else."`
	Restart bool            `json:"restart,omitempty" jsonschema_description:"Stop the IOC and start it again on the same autosave volume: what the checks put must be there again."`
}

// simulatorFile is one of a smoke test's simulators.
type simulatorFile struct {
	Image   string   `json:"image,omitempty" jsonschema:"title=container image by digest,pattern=^[^@\\s]+@sha256:[0-9a-f]{64}$,example=ghcr.io/site/device@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" jsonschema_description:"The container image that has the simulator."`
	Folder  string   `json:"folder,omitempty" jsonschema:"minLength=1,example=device" jsonschema_description:"In place of image: a folder beside image.yaml that has it. It runs in the runtime image."`
	Command []string `json:"command" jsonschema:"minItems=1" jsonschema_description:"The program and its arguments. A folder's program runs in that folder."`
}

// checkFile is one of a smoke test's checks.
type checkFile struct {
	PV       startup.PV `json:"pv" jsonschema_description:"The PV to read, or to write to where there is put."`
	Value    *string    `json:"value,omitempty" jsonschema:"example=5" jsonschema_description:"What the value must be, as caget and pvget print it. Numbers are written in quotes here."`
	Min      *float64   `json:"min,omitempty" jsonschema_description:"The least the value may be."`
	Max      *float64   `json:"max,omitempty" jsonschema_description:"The most the value may be."`
	Advances bool       `json:"advances,omitempty" jsonschema_description:"The value must differ between two reads, and a monitor must be told of it."`
	Units    string     `json:"units,omitempty" jsonschema:"example=mm" jsonschema_description:"The engineering units."`
	Severity string     `json:"severity,omitempty" jsonschema:"enum=NO_ALARM,enum=MINOR,enum=MAJOR,enum=INVALID" jsonschema_description:"The alarm severity."`
	Type     string     `json:"type,omitempty" jsonschema:"example=double" jsonschema_description:"The type of the value over the wire: double, float, int, short, byte, enum or string, with [] for an array."`
	Put      *string    `json:"put,omitempty" jsonschema:"example=5" jsonschema_description:"Write this to the PV first."`
	Reads    startup.PV `json:"reads,omitempty" jsonschema_description:"After put, read this PV in place of the one written to."`
	Within   *float64   `json:"within,omitempty" jsonschema:"exclusiveMinimum=0,maximum=600,example=10" jsonschema_description:"Seconds until the value must be right. 10 when left out."`
}

// moduleFile is generic-iocs/support/<name>.yaml as people write it.
type moduleFile struct {
	Git        string          `json:"git,omitempty" jsonschema:"title=URL of a git repository,pattern=^(https?://[^\\s@]+|ssh://([^\\s@:/]+@)?[^\\s@]+|(git|file)://[^\\s@]+)$,example=https://github.com/epics-modules/asyn" jsonschema_description:"URL of the git repository with the source."`
	Folder     string          `json:"folder,omitempty" jsonschema:"minLength=1,example=generic-iocs/ioc-simstage/simstage" jsonschema_description:"In place of git: the folder of this repository that holds the source."`
	Submodules []string        `json:"submodules,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Paths of the git submodules that are wanted. Others are left out."`
	Patches    []patchName     `json:"patches,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Files beside this one that are applied to the source with git apply, in this order. Not for a folder of this repository."`
	Macro      string          `json:"macro" jsonschema:"title=macro name,pattern=^[A-Za-z_][A-Za-z0-9_]*$,example=ASYN" jsonschema_description:"What other modules call it in configure/RELEASE."`
	Needs      []moduleRef     `json:"needs,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Support modules it is built against. epics-base is always one."`
	Packages   []debianPackage `json:"packages,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Debian packages it is built with."`
	Config     []configLine    `json:"config,omitempty" jsonschema_description:"Lines for configure/CONFIG_SITE.local."`
	Skip       []filePath      `json:"skip,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Folders below the module's that are not built."`
	Tests      bool            `json:"tests,omitempty" jsonschema_description:"Build upstream's own tests too, and run them."`
	Licence    string          `json:"licence,omitempty" jsonschema:"minLength=1,example=EPICS" jsonschema_description:"The module's licence as an SPDX expression. It goes into the image's bill of materials."`
	DBDs       []dbdName       `json:"dbds,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Database definition files it gives an IOC."`
	Libs       []libName       `json:"libs,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Libraries it gives an IOC, in link order."`
	Files      []filePath      `json:"files,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"Files and folders below the module's that an IOC reads when it runs. Its databases, in db, come by themselves."`
}

type (
	moduleRef     string
	gitRef        string
	debianPackage string
	configLine    string
	dbdName       string
	libName       string
	filePath      string
	patchName     string
	target        string
)

// JSONSchema says what a support module's name looks like.
func (moduleRef) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("name of a support module", recipe.ModuleName, "motor")
}

// JSONSchemaExtend says the same of the keys of modules, and what a parent
// looks like.
func (imageFile) JSONSchemaExtend(s *jsonschema.Schema) {
	from, _ := s.Properties.Get("from")
	from.Pattern = parent.String()
	modules, _ := s.Properties.Get("modules")
	modules.PropertyNames = moduleRef("").JSONSchema()
}

// JSONSchema says what a git ref looks like: no option, no revision syntax.
func (gitRef) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("git ref", `^[A-Za-z0-9_][-A-Za-z0-9_.+/]*$`, "R4-45")
}

// JSONSchema follows Debian Policy 5.6.1.
func (debianPackage) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("Debian package name", `^[a-z0-9][a-z0-9+.-]+$`, "libtirpc-dev")
}

// JSONSchema says what an assignment in a makefile looks like.
func (configLine) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("line of CONFIG_SITE", `^[A-Za-z_][A-Za-z0-9_.-]*\s*[:+?]?=[^\r\n]*$`, "TIRPC = YES")
}

// JSONSchema says what a dbd's file name looks like.
func (dbdName) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("dbd file name", `^[A-Za-z0-9_][-A-Za-z0-9_.+]*\.dbd$`, "asyn.dbd")
}

// JSONSchema says what a library's name looks like: as the linker's -l takes
// it, or a make variable that holds several.
func (libName) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("library name", `^([A-Za-z0-9_][-A-Za-z0-9_.+]*|\$\([A-Za-z0-9_]+\))$`, "asyn")
}

// JSONSchema says what a path below a module's folder looks like: no part of it
// leads out.
func (filePath) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("path below the module's folder", `^[A-Za-z0-9_][-A-Za-z0-9_.+]*(/[A-Za-z0-9_][-A-Za-z0-9_.+]*)*$`, "iocBoot/plugins.cmd")
}

// JSONSchema describes the name of a patch, a file beside the recipe.
func (patchName) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("file name of a patch", `^[A-Za-z0-9_][-A-Za-z0-9_.+]*\.(patch|diff)$`, "asyn-gcc14.patch")
}

// JSONSchema says what a target of EPICS looks like; which there are, only EPICS
// Base knows.
func (target) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("cross target", targetName.String(), "linux-aarch64")
}

var imageSchema = sync.OnceValue(func() *strictyaml.Schema[imageFile] {
	return strictyaml.New[imageFile](
		"Generic IOC image", "generic-iocs/<name>/image.yaml: a developer and a runtime image.",
	)
})

var moduleSchema = sync.OnceValue(func() *strictyaml.Schema[moduleFile] {
	return strictyaml.New[moduleFile](
		"Support module",
		"generic-iocs/support/<name>.yaml: where a support module's source is, what it needs and what it gives an IOC.",
	)
})

// Schemas returns the JSON schemas of the files read here, by the name each is
// published under.
func Schemas() map[string][]byte {
	return map[string][]byte{"image.schema.json": imageSchema().JSON(), "module.schema.json": moduleSchema().JSON()}
}
