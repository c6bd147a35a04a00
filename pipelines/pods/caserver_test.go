package pods

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// What an IOC's server writes at a terminal when its port is taken.
const took = "Starting iocInit\n" +
	"cas \x1b[35;1mWARNING\x1b[0m: Configured TCP port was unavailable.\n" +
	"cas \x1b[35;1mWARNING\x1b[0m: Using dynamically assigned TCP port 42371,\n" +
	"cas \x1b[35;1mWARNING\x1b[0m: but now two or more servers share the same UDP port.\n"

func TestCAServer(t *testing.T) {
	secret := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "port"}}
	for name, c := range map[string]struct {
		address string
		host    bool
		env     []corev1.EnvVar
		log     string
		want    string // the address, or the error
	}{
		"nothing is set": {"10.1.2.3", false, nil, "", "10.1.2.3:5064"},
		"the server's": {
			"10.1.2.3", false, env("EPICS_CAS_SERVER_PORT", "6000", "EPICS_CA_SERVER_PORT", "6064"), "",
			"10.1.2.3:6000",
		},
		"everybody's": {
			"10.1.2.3", false, env("EPICS_CAS_SERVER_PORT", "", "EPICS_CA_SERVER_PORT", "6064"), "", "10.1.2.3:6064",
		},
		"the last counts": {
			"10.1.2.3", false, env("EPICS_CA_SERVER_PORT", "6000", "EPICS_CA_SERVER_PORT", "6064"), "",
			"10.1.2.3:6064",
		},
		"one of the system": {
			"10.1.2.3", false, env("EPICS_CA_SERVER_PORT", "22"), "", "10.1.2.3:5064",
		},
		"no number": {"10.1.2.3", false, env("EPICS_CA_SERVER_PORT", "70000"), "", "10.1.2.3:5064"},
		"from a secret": {
			"10.1.2.3", false, []corev1.EnvVar{{Name: "EPICS_CA_SERVER_PORT", ValueFrom: secret}}, "",
			"EPICS_CA_SERVER_PORT is not written",
		},
		"asked over pvAccess":   {"10.1.2.3", false, env("IOC_RUN_PROTOCOL", "pva"), "", "10.1.2.3:5064"},
		"no address yet":        {"", true, nil, "", "no address yet"},
		"alone in its network":  {"10.1.2.3", false, nil, took, "10.1.2.3:5064"},
		"the first on its node": {"192.168.1.7", true, nil, "Starting iocInit\n", "192.168.1.7:5064"},
		"another on its node":   {"192.168.1.7", true, nil, took, "192.168.1.7:42371"},
		"another, with its port": {
			"192.168.1.7", true, env("EPICS_CA_SERVER_PORT", "6064"), took, "192.168.1.7:42371",
		},
		"a port of the system": {
			"192.168.1.7", true, nil, "Using dynamically assigned TCP port 22,\n", "192.168.1.7:5064",
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(&corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "a-1", Namespace: "bl01t"},
				Spec: corev1.PodSpec{HostNetwork: c.host, Containers: []corev1.Container{
					{Name: "ioc", Env: c.env}, {Name: "beside", Env: env("EPICS_CAS_SERVER_PORT", "7000")},
				}},
				Status: corev1.PodStatus{PodIP: c.address},
			})
			client.PrependReactor("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
				return a.GetSubresource() == "log", &runtime.Unknown{Raw: []byte(c.log)}, nil
			})
			n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
			at, err := CAServer(t.Context(), n, State{Instance: "a", Pod: "a-1", Container: "ioc"})
			if err != nil {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.Equal(t, c.want, at.Address.String())
			require.Equal(t, name == "asked over pvAccess", at.PVA)
		})
	}
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
	_, err := CAServer(t.Context(), n, State{Instance: "a", Pod: "gone", Container: "ioc"})
	require.ErrorContains(t, err, "reading the pod of a")
}

// env returns environment variables of names and values in turn.
func env(pairs ...string) (all []corev1.EnvVar) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, corev1.EnvVar{Name: pairs[i], Value: pairs[i+1]})
	}
	return all
}
