package beamline

import (
	"fmt"
	"maps"
	"slices"
)

// hostPort is a port of its node that an instance takes, and where that is written.
type hostPort struct {
	origin
	ip       string // empty for all addresses of the node
	protocol string
	number   int64
}

// origin is where a value of an instance was written.
type origin struct {
	inst *Instance
	file string
	line int
}

// at returns the origin of the piece of the instance's values at path.
func (o origins) at(path ...any) origin {
	file, line := o.place(path...)
	if file == "" {
		file = o.inst.File
	}
	return origin{o.inst, file, line}
}

// String returns the place as an editor reads it.
func (o origin) String() string { return fmt.Sprintf("%s:%d", o.file, o.line) }

// ownTemplate reports whether an instance brings the template of its IOC itself: what
// comes of its values is not known then.
func ownTemplate(inst *Instance) bool {
	_, own := inst.Own["templates/ioc.yaml"]
	return own || inst.Service != "" && inst.Foreign == nil
}

// checkPorts refuses a port of a node that another instance takes too, where both can
// run on one node: Kubernetes would start only one of them.
func (r *reader) checkPorts(o origins) {
	if ownTemplate(o.inst) {
		return
	}
	for _, p := range o.hostPorts() {
		i := slices.IndexFunc(r.ports, func(other hostPort) bool {
			return p.meets(other) && other.inst != p.inst && !apart(p.inst.Values, other.inst.Values)
		})
		if i >= 0 {
			r.portTaken(p, r.ports[i])
		}
		r.ports = append(r.ports, p)
	}
}

// portTaken adds the fault of two instances that take one port.
func (r *reader) portTaken(p, other hostPort) {
	port := fmt.Sprintf("%s port %d", p.protocol, p.number)
	if p.String() != other.String() {
		r.rivals(p.origin, other.origin,
			"give one of them another port, or keep them apart with nodeName or nodeSelector",
			"%s takes %s of its node, and so does %s (%s), which can run on the same node",
			p.inst.Name, port, other.inst.Name, other)
		return
	}
	r.rivals(p.origin, other.origin, "move it to the one instance that serves it",
		"%s and %s both take %s of their node, and can run on the same one", other.inst.Name, p.inst.Name, port)
}

// rivals adds a fault of two instances, once for the two places that they are from.
func (r *reader) rivals(one, other origin, fix, format string, args ...any) {
	if pair := [2]string{one.String(), other.String()}; !r.told[pair] {
		r.told[pair] = true
		r.faults.Addf(one.file, one.line, fix, format, args...)
	}
}

// protocols are those that Kubernetes has ports of.
var protocols = []string{"TCP", "UDP", "SCTP"}

// hostPorts returns the ports of its node that an instance takes: on the host's
// network each that a container of it names.
func (o origins) hostPorts() (all []hostPort) {
	v := o.inst.Values
	add := func(container map[string]any, path ...any) {
		for i, p := range items(container["ports"]) {
			number, _ := p["hostPort"].(float64)
			if named, ok := p["containerPort"].(float64); ok && number == 0 && v.Network != "cluster" {
				number = named
			}
			protocol, _ := p["protocol"].(string)
			if protocol == "" {
				protocol = "TCP"
			}
			ip, _ := p["hostIP"].(string)
			if ip == "0.0.0.0" || ip == "::" {
				ip = ""
			}
			if number > 0 && slices.Contains(protocols, protocol) {
				at := o.at(append(slices.Clone(path), "ports", i)...)
				all = append(all, hostPort{at, ip, protocol, int64(number)})
			}
		}
	}
	if v.Opi != nil && v.Network != "cluster" {
		all = append(all, hostPort{o.at("opi", "port"), "", "TCP", v.Opi.Port})
	}
	add(v.Container, "container")
	for i, c := range v.Containers {
		add(c, "containers", i)
	}
	for i, c := range v.InitContainers {
		if c["restartPolicy"] == "Always" { // it runs as long as the IOC
			add(c, "initContainers", i)
		}
	}
	return all
}

// meets reports whether two ports can't both be taken on one node.
func (p hostPort) meets(other hostPort) bool {
	return p.number == other.number && p.protocol == other.protocol &&
		(p.ip == "" || other.ip == "" || p.ip == other.ip)
}

// apart reports whether two instances never run on the same node, as far as their
// values say it. What their affinity needs is left to Kubernetes.
func apart(a, b Values) bool {
	if choosy(a.Affinity) || choosy(b.Affinity) {
		return true
	}
	other := nodeLabels(b)
	for key, value := range nodeLabels(a) {
		if its, ok := other[key]; ok && its != value {
			return true
		}
	}
	return false
}

// nodeLabels returns the labels that the node of an instance has.
func nodeLabels(v Values) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, v.NodeSelector)
	if v.NodeName != "" {
		labels[hostLabel] = v.NodeName
	}
	return labels
}

// choosy reports whether an affinity keeps an instance from nodes or neighbours.
func choosy(affinity map[string]any) bool {
	for _, kind := range []string{"nodeAffinity", "podAntiAffinity"} {
		rules, _ := affinity[kind].(map[string]any)
		if rules["requiredDuringSchedulingIgnoredDuringExecution"] != nil {
			return true
		}
	}
	return false
}
