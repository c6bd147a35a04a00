package beamline

import (
	"regexp"
	"sync"

	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// beamlineFile is beamlines/<name>/beamline.yaml as people write it.
type beamlineFile struct {
	Namespace string    `json:"namespace" jsonschema:"title=namespace,pattern=^[a-z0-9]([-a-z0-9]{0\\,61}[a-z0-9])?$,example=bl01t" jsonschema_description:"The Kubernetes namespace that the beamline's IOCs run in."`
	Values    Values    `json:"values,omitempty" jsonschema_description:"What all instances of the beamline share; an instance's own values go over these."`
	Generate  *Generate `json:"generate,omitempty" jsonschema_description:"How the config folders of the instances that have a folder generate/ are made."`
	Gate      *gateFile `json:"gate,omitempty" jsonschema_description:"What must be true before the beamline is promoted."`
}

// gateFile is the gate key of a beamline.
type gateFile struct {
	Approvers   []string `json:"approvers,omitempty" jsonschema:"uniqueItems=true,minLength=1,example=octocat" jsonschema_description:"GitHub users, or teams as organisation/team, one of whom must approve."`
	Environment string   `json:"environment,omitempty" jsonschema_description:"GitHub environment that holds the approval."`
}

// instanceFile is an instance's values.yaml as people write it.
type instanceFile struct {
	Image    string    `json:"image,omitempty" jsonschema_description:"The generic IOC that the instance runs, at a released version. Of a service without a chart of its own: the container image that it runs, by its tag, its digest or both."`
	Service  string    `json:"service,omitempty" jsonschema:"minLength=1,example=a pvAccess gateway" jsonschema_description:"What this is in place of an IOC: it has no probePV, and runs the container image that image names, or what a chart of its own says."`
	Command  []string  `json:"command,omitempty" jsonschema:"minItems=1,minLength=1,example=python" jsonschema_description:"The program that a service's container runs, and its arguments; the image's own when left out."`
	Boot     *bootFile `json:"boot,omitempty" jsonschema_description:"How a service's image is tested before it is released, or why it is not."`
	Generate *Generate `json:"generate,omitempty" jsonschema_description:"How config/ is made from the folder generate/, in place of what beamline.yaml says."`
	Values
}

// bootFile is the boot key of a service.
type bootFile struct {
	Command []string `json:"command,omitempty" jsonschema:"minItems=1,minLength=1,example=python" jsonschema_description:"A program and its arguments that end with exit status 0 in an image that works."`
	Within  string   `json:"within,omitempty" jsonschema:"title=time,pattern=^[1-9][0-9]{0\\,4}[smh]$,default=1m,example=90s" jsonschema_description:"The time that the command has. 1m when left out."`
	None    string   `json:"none,omitempty" jsonschema:"minLength=1,example=it wants the archive's database" jsonschema_description:"Why nothing of it can be tested."`
}

// JSONSchemaExtend is that of the values; here an IOC has an image and a probe PV,
// and a service the image of a container, or none.
func (instanceFile) JSONSchemaExtend(s *jsonschema.Schema) {
	Values{}.JSONSchemaExtend(s)
	s.If = &jsonschema.Schema{Required: []string{"service"}}
	s.Then = &jsonschema.Schema{Properties: jsonschema.NewProperties()}
	s.Then.Properties.Set("image",
		strictyaml.Text("container image", contained.String(), "ghcr.io/some-org/gateway:1.2.3"))
	s.Else = &jsonschema.Schema{Required: []string{"image", "probePV"}, Properties: jsonschema.NewProperties()}
	image := pin("").JSONSchema()
	image.Description = "The generic IOC that the instance runs, at a released version."
	s.Else.Properties.Set("image", image)
	probe, _ := s.Properties.Get("probePV") // what is said where it is missing
	s.Else.Properties.Set("probePV", &jsonschema.Schema{Description: probe.Description, Examples: probe.Examples})
}

// contained matches what may be a container image with its tag, its digest or both.
var contained = regexp.MustCompile(`^[^\s@]+(:\w[-.\w]{0,127}|(:\w[-.\w]{0,127})?@sha256:[0-9a-f]{64})$`)

type pin string

// pinned matches what may be a pin.
var pinned = regexp.MustCompile(asset.PinPattern)

// JSONSchema says what a generic IOC at a released version looks like.
func (pin) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("image and version", pinned.String(), "ioc-simstage 1.0.0")
}

var beamlineSchema = sync.OnceValue(func() *strictyaml.Schema[beamlineFile] {
	return strictyaml.New[beamlineFile]("Beamline",
		"beamlines/<name>/beamline.yaml: what all IOC instances of a beamline share.")
})

var instanceSchema = sync.OnceValue(func() *strictyaml.Schema[instanceFile] {
	return strictyaml.New[instanceFile]("IOC instance",
		"beamlines/<beamline>/iocs/<instance>/values.yaml: one IOC of a beamline. Keys beside image go over the "+
			"beamline's values.")
})

// Schemas returns the JSON schemas of the files read here, by the name each is
// published under.
func Schemas() map[string][]byte {
	return map[string][]byte{"beamline.schema.json": beamlineSchema().JSON(),
		"instance.schema.json": instanceSchema().JSON()}
}
