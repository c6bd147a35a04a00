package beamline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/startup"
)

// Values are what the library chart ioc-lib takes, beside image and config.
// JSON names are the chart's and the YAML files'; what each means is said by
// its description, which editors show too.
type Values struct {
	ProbePV          string            `json:"probePV,omitempty" jsonschema_description:"The PV that tells whether this IOC lives."`
	Protocol         string            `json:"protocol,omitempty" jsonschema:"enum=ca,enum=pva,default=ca" jsonschema_description:"How the probe PV is asked for: Channel Access or pvAccess."`
	ProbeAdvances    bool              `json:"probeAdvances,omitempty" jsonschema_description:"The probe PV goes on changing in an IOC that works: one that stays the same for 90 seconds is restarted."`
	Startup          *startup.Rules    `json:"startup,omitempty" jsonschema_description:"How the start of the IOC is judged, over what the generic IOC says."`
	Start            *bool             `json:"start,omitempty" jsonschema:"default=true" jsonschema_description:"false: it comes to the beamline stopped, and runs once somebody says tagline start."`
	UID              int64             `json:"uid,omitempty" jsonschema:"minimum=1,maximum=2147483647,example=1000" jsonschema_description:"The user id the IOC runs as. Never root."`
	GID              int64             `json:"gid,omitempty" jsonschema:"minimum=1,maximum=2147483647,example=1000" jsonschema_description:"The group id the IOC runs as."`
	Env              map[string]string `json:"env,omitempty" jsonschema_description:"Environment variables of the IOC."`
	NodeSelector     map[string]string `json:"nodeSelector,omitempty" jsonschema_description:"Labels of the nodes the IOC may run on."`
	Tolerations      []Toleration      `json:"tolerations,omitempty" jsonschema_description:"Taints of nodes that the IOC tolerates."`
	Volumes          []Volume          `json:"volumes,omitempty" jsonschema_description:"Folders with data that are mounted into the IOC, beside its config and autosave."`
	Devices          []Device          `json:"devices,omitempty" jsonschema_description:"Serial and USB devices of the node that the IOC opens."`
	Network          string            `json:"network,omitempty" jsonschema:"enum=host,enum=cluster,default=host" jsonschema_description:"The network that the IOC serves in: the node's, where clients find it by broadcast, or the cluster's, behind a Service."`
	NodeName         string            `json:"nodeName,omitempty" jsonschema:"title=name of a node,pattern=^[a-z0-9]([-a-z0-9.]{0\\,251}[a-z0-9])?$,example=bl01t-ea-serv-01" jsonschema_description:"The one node that the IOC runs on, by its label kubernetes.io/hostname; tagline move goes over it."`
	Affinity         map[string]any    `json:"affinity,omitempty" jsonschema_description:"Which nodes and neighbours the IOC prefers or needs, as an Affinity of Kubernetes."`
	PriorityClass    string            `json:"priorityClass,omitempty" jsonschema:"title=name of a priority class,pattern=^[a-z0-9]([-a-z0-9.]{0\\,251}[a-z0-9])?$,example=beamline" jsonschema_description:"The PriorityClass of the cluster that says who goes first when a node is full."`
	ImagePullSecrets []string          `json:"imagePullSecrets,omitempty" jsonschema_description:"Secrets of the namespace with which its images are pulled."`
	ServiceAccount   string            `json:"serviceAccount,omitempty" jsonschema:"title=name of a service account,pattern=^[a-z0-9]([-a-z0-9.]{0\\,251}[a-z0-9])?$,example=ioc" jsonschema_description:"The ServiceAccount of the namespace that it runs as, without its token."`
	Labels           map[string]string `json:"labels,omitempty" jsonschema_description:"Labels of its pod, beside those of the chart."`
	Annotations      map[string]string `json:"annotations,omitempty" jsonschema_description:"Annotations of its pod, beside those of the chart."`
	InitContainers   []map[string]any  `json:"initContainers,omitempty" jsonschema_description:"Containers of Kubernetes that end before the IOC starts. Without an image they run the IOC's own."`
	Containers       []map[string]any  `json:"containers,omitempty" jsonschema_description:"Containers of Kubernetes that run beside the IOC. Without an image they run the IOC's own."`
	Pod              map[string]any    `json:"pod,omitempty" jsonschema_description:"What else the pod's spec has, as in a PodSpec of Kubernetes: nothing that the chart sets itself."`
	Container        map[string]any    `json:"container,omitempty" jsonschema_description:"What else the IOC's container has, as in a Container of Kubernetes: nothing that the chart sets itself."`
	CPU              string            `json:"cpu,omitempty" jsonschema:"title=quantity of Kubernetes,example=100m" jsonschema_description:"CPU that is kept for the IOC: a request of Kubernetes."`
	Memory           string            `json:"memory,omitempty" jsonschema:"title=quantity of Kubernetes,example=256Mi" jsonschema_description:"Memory the IOC may use: a limit of Kubernetes."`
	Autosave         string            `json:"autosave,omitempty" jsonschema:"title=quantity of Kubernetes,example=100Mi" jsonschema_description:"Size of the volume /epics/autosave. No volume when it is left out or empty."`
	Opi              *Opi              `json:"opi,omitempty" jsonschema_description:"How the screens in config/opi are served over HTTP, by a container beside the IOC."`
	GraceSeconds     int64             `json:"graceSeconds,omitempty" jsonschema:"minimum=1,maximum=3600,default=30" jsonschema_description:"Seconds the IOC has to stop politely. 30 when left out."`
}

// The values of an instance that has none of its own. The library chart has the
// same, for charts that others make on it; a test holds the two together.
const (
	defaultID       = 1000 // of the user and of the group
	defaultGrace    = 30   // seconds
	defaultProtocol = "ca"
	defaultNetwork  = "host"
)

// defaults are the values that an instance has without writing them, by key.
var defaults = map[string]any{
	"protocol": defaultProtocol, "network": defaultNetwork, "uid": defaultID, "gid": defaultID,
	"graceSeconds": defaultGrace, "start": true,
}

// User returns the user and group id that the IOC runs as, "1000:1000".
func (v Values) User() string {
	return fmt.Sprintf("%d:%d", cmp.Or(v.UID, defaultID), cmp.Or(v.GID, defaultID))
}

// Grace returns the seconds that the IOC has to stop politely.
func (v Values) Grace() int64 { return cmp.Or(v.GraceSeconds, defaultGrace) }

// Starts reports whether the IOC runs as soon as it comes to its beamline.
func (v Values) Starts() bool { return v.Start == nil || *v.Start }

// ProbeProtocol returns how the probe PV is asked for: "ca" or "pva".
func (v Values) ProbeProtocol() string { return cmp.Or(v.Protocol, defaultProtocol) }

// Fields returns the values that are set by the key that people write, as JSON
// has them: text, numbers, lists and maps.
func (v Values) Fields() map[string]any {
	all := map[string]any{}
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		panic(err) // Values are plain data
	}
	return all
}

// Differ returns the keys of the values in which v and other differ, sorted, as people
// write them. A value that is empty is like one that is not set.
func (v Values) Differ(other Values) (names []string) {
	ours, theirs := reflect.ValueOf(v), reflect.ValueOf(other)
	for i, key := range valueKeys {
		if !alike(ours.Field(i), theirs.Field(i)) {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	return names
}

// alike reports whether two values of one type are the same as JSON has them.
func alike(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Map, reflect.Slice:
		if a.Len() == 0 || b.Len() == 0 {
			return a.Len() == b.Len()
		}
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
	default:
		return a.Equal(b)
	}
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return true
	}
	var texts [2][]byte // in which a list within, that is empty, may be missing
	for i, v := range []reflect.Value{a, b} {
		var err error
		if texts[i], err = json.Marshal(v.Interface()); err != nil {
			panic(err) // Values are plain data
		}
	}
	return bytes.Equal(texts[0], texts[1])
}

// valueKeys are the keys of Values that people write, in the order of its fields.
var valueKeys = func() (keys []string) {
	for field := range reflect.TypeFor[Values]().Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}()

// byKey returns the fields by the key that people write.
func (v *Values) byKey() iter.Seq2[string, reflect.Value] {
	return func(yield func(string, reflect.Value) bool) {
		for i, key := range valueKeys {
			if !yield(key, reflect.ValueOf(v).Elem().Field(i)) {
				return
			}
		}
	}
}

// StartupRules returns how the instance's start is judged, beside what its
// generic IOC says.
func (v Values) StartupRules() startup.Rules {
	if v.Startup == nil {
		return startup.Rules{}
	}
	return *v.Startup
}

// JSONSchemaExtend says what a PV's name looks like.
func (Values) JSONSchemaExtend(s *jsonschema.Schema) {
	pv, _ := s.Properties.Get("probePV")
	like := startup.PV("").JSONSchema()
	pv.Title, pv.Pattern, pv.Examples = like.Title, like.Pattern, like.Examples
}

// Toleration is a Kubernetes toleration.
type Toleration struct {
	Key      string `json:"key,omitempty"`
	Operator string `json:"operator,omitempty" jsonschema:"enum=Equal,enum=Exists"`
	Value    string `json:"value,omitempty"`
	Effect   string `json:"effect,omitempty" jsonschema:"enum=NoSchedule,enum=PreferNoSchedule,enum=NoExecute"`
}
