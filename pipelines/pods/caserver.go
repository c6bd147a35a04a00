package pods

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// caPort is where a Channel Access server listens that was told of no other port.
const caPort = 5064

// startOfLog is as much of an IOC's log, in bytes, as its start-up is looked for in.
const startOfLog = 512 << 10

// otherPort is what the server says when the port that it should have was taken, as by
// another IOC on the host's network, and it took another.
var otherPort = regexp.MustCompile(`Using dynamically assigned TCP port ([0-9]+)`)

// Server is the Channel Access server that a pod's IOC has, or should have.
type Server struct {
	Address netip.AddrPort // by TCP
	PVA     bool           // the IOC's probe PV is asked for over pvAccess: it may have that server alone
}

// CAServer returns the Channel Access server of a pod's IOC, as the pod and the log of
// its start-up tell it: its address is no other than the pod's. Where the start-up is no
// longer in the log, the port is that which the IOC was told to have. A pod without an
// address, or whose port can't be known, is an error. Nothing is asked of the IOC.
func CAServer(ctx context.Context, n *cluster.Namespace, s State) (Server, error) {
	pod, err := n.Client.CoreV1().Pods(n.Name).Get(ctx, s.Pod, metav1.GetOptions{})
	if err != nil {
		return Server{}, cluster.Broken("reading the pod of "+s.Instance, err)
	}
	address, err := netip.ParseAddr(pod.Status.PodIP)
	if err != nil {
		return Server{}, errors.New("its pod has no address yet")
	}
	set := environment(pod, s.Container)
	port, err := configuredPort(set)
	if err != nil {
		return Server{}, err
	}
	if pod.Spec.HostNetwork { // where it is not alone
		taken, err := takenPort(ctx, n, s)
		if err != nil {
			return Server{}, err
		}
		port = cmp.Or(taken, port)
	}
	return Server{netip.AddrPortFrom(address, port), set["IOC_RUN_PROTOCOL"].Value == "pva"}, nil
}

// environment returns the variables of a container by name; of one that is given twice,
// Kubernetes takes the last.
func environment(pod *corev1.Pod, container string) map[string]corev1.EnvVar {
	set := map[string]corev1.EnvVar{}
	for _, c := range pod.Spec.Containers {
		if c.Name == container {
			for _, e := range c.Env {
				set[e.Name] = e
			}
		}
	}
	return set
}

// configuredPort returns the port that an environment sets, as EPICS Base reads it: one
// of the system, or none at all, is the usual one.
func configuredPort(set map[string]corev1.EnvVar) (uint16, error) {
	for _, name := range []string{"EPICS_CAS_SERVER_PORT", "EPICS_CA_SERVER_PORT"} {
		e := set[name]
		if e.ValueFrom != nil {
			return 0, fmt.Errorf("its port is not known: %s is not written in its pod", name)
		}
		if e.Value != "" {
			port, err := strconv.ParseUint(e.Value, 10, 16)
			if err != nil || port <= 5000 {
				port = caPort
			}
			return uint16(port), nil
		}
	}
	return caPort, nil
}

// takenPort returns the port that the server took in place of the one that it was
// told to have; 0 where it has that one, or the log of its start-up is gone.
func takenPort(ctx context.Context, n *cluster.Namespace, s State) (uint16, error) {
	most := int64(startOfLog)
	stream, err := n.Client.CoreV1().Pods(n.Name).GetLogs(
		s.Pod, &corev1.PodLogOptions{Container: s.Container, LimitBytes: &most},
	).Stream(ctx)
	if err != nil {
		return 0, cluster.Broken("reading the log of "+s.Instance, err)
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, most))
	if err != nil {
		return 0, cluster.Broken("reading the log of "+s.Instance, err)
	}
	if found := otherPort.FindSubmatch(text); found != nil {
		if port, err := strconv.ParseUint(string(found[1]), 10, 16); err == nil && port >= 1024 {
			return uint16(port), nil
		}
	}
	return 0, nil
}
